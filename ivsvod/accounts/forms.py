"""Forms of the admin: the sign-in, and the one that makes an API token."""

from datetime import timedelta
from typing import Any

from django import forms
from django.conf import settings
from django.contrib.admin.forms import AdminAuthenticationForm
from django.core.exceptions import ValidationError
from django.http import HttpRequest

from ivsvod.accounts.models import User
from ivsvod.api import throttling

_WIDE = {"class": "vTextField"}


def _is_printable(text: str) -> None:
    if not text.isprintable():
        raise ValidationError("Only printable characters are allowed.")


class SignInForm(AdminAuthenticationForm):
    """The stock sign-in, but guessing passwords is counted together with guessing credentials of the API."""

    request: HttpRequest

    def clean(self) -> dict[str, Any]:
        """The name and password of a member of staff.

        Raises:
            ValidationError: they are not, or there were too many wrong ones from this address.
        """
        try:
            throttling.refuse_guesses(self.request)
        except throttling.TooManyRequestsError as error:
            # `RefusalMiddleware` makes it a 429 with Retry-After.
            self.request.wait = error.wait  # type: ignore[attr-defined]
            raise ValidationError("There were too many wrong attempts: wait a minute, then try again.") from None
        try:
            return super().clean()
        except ValidationError:
            throttling.note_failure(self.request)
            raise


class ApiTokenCreateForm(forms.Form):
    """What `services.api_token_create` takes, as far as the person who fills it in may give it away."""

    name = forms.CharField(
        max_length=200,
        validators=[_is_printable],
        widget=forms.TextInput(attrs=_WIDE),
        help_text="What it is for: it stands in the list, so that it can be revoked.",
    )
    account = forms.CharField(
        max_length=150,
        validators=[_is_printable],
        widget=forms.TextInput(attrs=_WIDE),
        help_text="User name of the account that it acts for; one that is missing is made, without a password.",
    )
    scopes = forms.MultipleChoiceField(
        widget=forms.CheckboxSelectMultiple,
        help_text="What it may do is these and the permissions of its account, both.",
    )
    expires_days = forms.IntegerField(
        label="Expires after days", required=False, min_value=1, max_value=36_500, help_text="Empty: never."
    )

    def __init__(self, *args: Any, by: User, **values: Any) -> None:
        super().__init__(*args, **values)
        self.by = by
        scopes = self.fields["scopes"]
        # Nobody hands out what they lack.
        scopes.choices = [  # type: ignore[attr-defined]
            (name, sentence) for name, sentence in settings.API_SCOPES.items() if by.has_perm(f"accounts.{name}")
        ]

    def clean_account(self) -> str:
        """The name; of another person on the staff for superusers alone, since it would act in that person's name."""
        name: str = self.cleaned_data["account"]
        others = User.objects.filter(username=name, is_staff=True).exclude(pk=self.by.pk)
        if not self.by.is_superuser and others.exists():
            raise ValidationError("Only a superuser makes tokens that act for another member of staff.")
        return name

    def arguments(self) -> dict[str, Any]:
        """The arguments of `services.api_token_create`."""
        given = self.cleaned_data
        days = given["expires_days"]
        return {
            "name": given["name"],
            "account": given["account"],
            "scopes": given["scopes"],
            "expires_in": timedelta(days=days) if days else None,
        }

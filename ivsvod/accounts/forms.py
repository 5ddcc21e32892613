"""Forms of the admin: sign-in, own password, two-step sign-in, and the creation of an API token."""

import logging
from typing import Any

from django import forms
from django.conf import settings
from django.contrib.admin.forms import AdminAuthenticationForm, AdminPasswordChangeForm
from django.contrib.auth import authenticate
from django.contrib.auth.forms import UsernameField
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from common.encryption import UnreadableSecretError
from ivsvod.accounts.models import User
from ivsvod.accounts.second_factor import CodeTooSoonError, authenticator_confirm, code_check
from ivsvod.accounts.sign_in import counted, refuse_locked, too_many

logger = logging.getLogger(__name__)


class _RequestForm(forms.BaseForm):
    def __init__(self, request: HttpRequest, *args: Any, **values: Any) -> None:
        super().__init__(*args, **values)
        self.request = request


class SignInForm(AdminAuthenticationForm):
    """Name and password of a member of staff; wrong ones are counted."""

    request: HttpRequest
    # The stock field sends its limit to the browser, and accepts a longer name.
    username = UsernameField(max_length=150, widget=forms.TextInput(attrs={"autofocus": True}))

    def clean(self) -> dict[str, Any]:
        """Return the name and password; a `ValidationError` says that they are wrong, or how long to wait."""
        with counted(self.request):
            try:
                return super().clean()
            except ValidationError:
                refuse_locked(self.request, self.cleaned_data.get("username"))
                raise


class CodeForm(_RequestForm, forms.Form):
    """A code of an authenticator app, or a recovery code, after the password."""

    code = forms.CharField(
        label=_("Code"),
        max_length=40,
        widget=forms.TextInput(attrs={"autocomplete": "one-time-code", "autofocus": True, "spellcheck": "false"}),
    )

    def __init__(self, request: HttpRequest, *args: Any, account: User, **values: Any) -> None:
        super().__init__(request, *args, **values)
        self.account = account

    def clean_code(self) -> str:
        """Return a right code and use it up; a `ValidationError` says that it is wrong, or how long to wait."""
        code: str = self.cleaned_data["code"]
        with counted(self.request):
            try:
                is_right = self.is_right(code)
            except CodeTooSoonError as error:
                raise too_many(self.request, error.seconds) from None
            except UnreadableSecretError:
                logger.error("the secret of an authenticator app cannot be read account=%s", self.account.pk)
                raise ValidationError(_("The secret of this app cannot be read: use a recovery code.")) from None
            if not is_right:
                raise ValidationError(_("This is not the current code. Each code counts once."))
        return code

    def is_right(self, code: str) -> bool:
        return code_check(account=self.account, code=code)

    def get_user(self) -> User:
        """Return the account that signs in, for `LoginView`."""
        return self.account


class FirstCodeForm(CodeForm):
    """The first code of a new app, which proves that it works."""

    recovery_codes: list[str] | None = None

    def is_right(self, code: str) -> bool:
        """Return whether two-step sign-in is on now; then `recovery_codes` has the codes."""
        self.recovery_codes = authenticator_confirm(account=self.account, code=code)
        return self.recovery_codes is not None


class PasswordForm(_RequestForm, forms.Form):
    """The own password again, since someone else may sit at an open session."""

    password = forms.CharField(
        label=_("Your password"),
        strip=False,
        max_length=4096,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
    )

    def clean_password(self) -> str:
        return own_password(self.request, self.cleaned_data["password"])


class OwnPasswordForm(_RequestForm, AdminPasswordChangeForm):
    """The own password: the old one and a new one."""

    def clean_old_password(self) -> str:
        return own_password(self.request, self.cleaned_data["old_password"])


def own_password(request: HttpRequest, password: str) -> str:
    """Return the password of the account of the request; raise ValidationError for a wrong one, which counts."""
    name = request.user.get_username()
    with counted(request):
        if authenticate(request, username=name, password=password) is None:
            refuse_locked(request, name)
            raise ValidationError(_("This is not your password."))
    return password


def _is_printable(text: str) -> None:
    if not text.isprintable():
        raise ValidationError(_("Only printable characters are allowed."))


class PrintableField(forms.CharField):
    """A line of printable characters."""

    widget = forms.TextInput(attrs={"class": "vTextField"})
    default_validators = [_is_printable]


class ApiTokenCreateForm(forms.Form):
    """The arguments of `services.api_token_create`, with the scopes that the account of the request has."""

    name = PrintableField(
        label=_("Name"), max_length=200, help_text=_("Its purpose: the list shows it, so that it can be revoked.")
    )
    account = PrintableField(
        label=_("Account"),
        max_length=150,
        help_text=_("User name of the account that it acts for; a missing account is made, without a password."),
    )
    scopes = forms.MultipleChoiceField(
        label=_("Scopes"),
        widget=forms.CheckboxSelectMultiple,
        help_text=_("It may do what both these scopes and the permissions of its account allow."),
    )
    expires_days = forms.IntegerField(
        label=_("Expires after days"), required=False, min_value=1, max_value=36_500, help_text=_("Empty: never.")
    )

    def __init__(self, *args: Any, by: User, **values: Any) -> None:
        super().__init__(*args, **values)
        self.by = by
        # A scope is granted only by an account that has it.
        self.fields["scopes"].choices = [  # type: ignore[attr-defined]
            (name, sentence) for name, sentence in settings.API_SCOPES.items() if by.has_perm(f"accounts.{name}")
        ]

    def clean_account(self) -> str:
        """Return the name. Only superusers make a token that acts for another member of staff."""
        name: str = self.cleaned_data["account"]
        others = User.objects.filter(username=name, is_staff=True).exclude(pk=self.by.pk)
        if not self.by.is_superuser and others.exists():
            raise ValidationError(_("Only a superuser makes tokens that act for another member of staff."))
        return name

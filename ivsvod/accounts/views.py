"""Signing in by password and code, and the pages on which each member of staff sets things for themselves."""

from typing import Any, cast

from django.conf import settings
from django.contrib import admin, messages
from django.contrib.auth import REDIRECT_FIELD_NAME
from django.contrib.auth.views import LoginView, PasswordChangeView
from django.forms import Form
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse, reverse_lazy
from django.utils.http import urlencode
from django.utils.translation import gettext_lazy as _

from ivsvod.accounts.forms import CodeForm, FirstCodeForm, OwnPasswordForm, PasswordForm, PreferencesForm, SignInForm
from ivsvod.accounts.models import Authenticator, User
from ivsvod.accounts.qr import qr_svg
from ivsvod.accounts.second_factor import (
    NotBegunError,
    authenticator_begin,
    authenticator_remove,
    recovery_codes_renew,
    set_up_of,
)
from ivsvod.accounts.services import account_set_time_zone
from ivsvod.accounts.sign_in import account_waiting, other_sessions_end, stop_waiting, wait_for_code

_SET_UP_BEGUN = "two_step_begun"


class SignInView(LoginView):
    """The sign-in of the admin: name and password, then a code where the account has two-step sign-in."""

    authentication_form: Any = SignInForm
    template_name = "admin/login.html"
    next_page = "admin:index"
    title = _("Log in")

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """The form; whoever is signed in is led on."""
        if admin.site.has_permission(request):
            return redirect("admin:index")
        return super().get(request, *args, **kwargs)

    def form_valid(self, form: Any) -> HttpResponse:
        """Sign in, or ask for the code."""
        account: User = form.get_user()
        if Authenticator.objects.of(account) is None:
            return super().form_valid(form)
        wait_for_code(self.request, account)
        return HttpResponseRedirect(with_next(self, "account:code"))

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """What the admin's own view gives to the page."""
        stock = {
            "title": self.title,
            "subtitle": None,
            "app_path": self.request.get_full_path(),
            "username": self.request.user.get_username(),
        }
        return {**admin.site.each_context(self.request), **super().get_context_data(**kwargs), **stock}


class CodeView(SignInView):
    """The second step: the code of an authenticator app, or a recovery code."""

    authentication_form = CodeForm
    template_name = "admin/accounts/code.html"
    title = _("Two-step sign-in")

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """The page, for whoever showed a password a short time ago; others begin anew."""
        self.account = account_waiting(request)
        if self.account is None:
            return HttpResponseRedirect(with_next(self, "admin:login"))
        return super().dispatch(request, *args, **kwargs)

    def get_form_kwargs(self) -> dict[str, Any]:
        """With the account whose code it is."""
        return {**super().get_form_kwargs(), "account": self.account}

    def form_valid(self, form: Any) -> HttpResponse:
        """Sign in."""
        stop_waiting(self.request)
        return LoginView.form_valid(self, form)


def with_next(view: LoginView, name: str) -> str:
    """The address of a step of signing in that leads on to where it began."""
    wanted = view.get_redirect_url()
    return reverse(name) + (f"?{urlencode({REDIRECT_FIELD_NAME: wanted})}" if wanted else "")


class PasswordChange(PasswordChangeView):
    """The admin's own page, whose old password is no more open to guessing than that of the sign-in."""

    form_class = OwnPasswordForm
    template_name = "registration/password_change_form.html"
    success_url = reverse_lazy("admin:password_change_done")

    def get_form_kwargs(self) -> dict[str, Any]:
        """With the request, by which guesses are counted."""
        return {**super().get_form_kwargs(), "request": self.request}

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """What all pages of the admin are given."""
        return {**super().get_context_data(**kwargs), **admin.site.each_context(self.request)}


def preferences(request: HttpRequest) -> HttpResponse:
    """The time zone of whoever is signed in."""
    account = signed_in(request)
    form = PreferencesForm(request.POST or None, initial={"time_zone": account.time_zone})
    if request.method == "POST" and form.is_valid():
        account_set_time_zone(account=account, time_zone=form.cleaned_data["time_zone"])
        messages.success(request, _("Your preferences were saved."))
        return redirect("account:preferences")
    return _page(request, "preferences", _("Preferences"), form=form)


def two_step(request: HttpRequest) -> HttpResponse:
    """Whether two-step sign-in is on, and what can be done about it; the password turns it on."""
    device = Authenticator.objects.of(signed_in(request))
    form = PasswordForm(request, request.POST or None)
    if request.method == "POST" and device is None and form.is_valid():
        authenticator_begin(account=signed_in(request))
        request.session[_SET_UP_BEGUN] = True
        return redirect("account:two-step-set-up")
    context = {"device": device, "form": form, "is_required": settings.REQUIRE_SECOND_FACTOR}
    return _page(request, "two_step", _("Two-step sign-in"), **context)


def two_step_set_up(request: HttpRequest) -> HttpResponse:
    """The secret for the app, until a first code of it was given; the answer to that shows the recovery codes."""
    account = signed_in(request)
    # The secret is for the browser that showed the password for it, and for no other session of the account.
    set_up = set_up_of(account) if request.session.get(_SET_UP_BEGUN) else None
    if set_up is None:
        return redirect("account:two-step")
    form = FirstCodeForm(request, request.POST or None, account=account)
    try:
        if request.method == "POST" and form.is_valid() and form.recovery_codes:
            # What a password alone has opened until now stays open for nobody else.
            other_sessions_end(request)
            return _recovery_codes_page(request, form.recovery_codes)
    except NotBegunError:
        # Another window was quicker.
        return redirect("account:two-step")
    context = {"set_up": set_up, "picture": qr_svg(set_up.uri), "form": form}
    return _page(request, "two_step_set_up", _("Set up two-step sign-in"), **context)


def two_step_recovery_codes(request: HttpRequest) -> HttpResponse:
    """New recovery codes, for the password."""
    form = PasswordForm(request, request.POST or None)
    if request.method == "POST" and form.is_valid():
        codes = recovery_codes_renew(account=signed_in(request))
        return redirect("account:two-step") if codes is None else _recovery_codes_page(request, codes)
    return _confirm_page(request, form, _("New recovery codes"), _("The old ones open nothing any more."))


def two_step_off(request: HttpRequest) -> HttpResponse:
    """Turn two-step sign-in off, for the password."""
    form = PasswordForm(request, request.POST or None)
    if request.method == "POST" and form.is_valid():
        if authenticator_remove(account=signed_in(request)):
            messages.success(request, _("Two-step sign-in is off."))
        return redirect("account:two-step")
    told = _("From then on your password alone opens your account. The app and the recovery codes count no longer.")
    return _confirm_page(request, form, _("Turn off two-step sign-in"), told)


def signed_in(request: HttpRequest) -> User:
    """Whoever asks: the pages are for members of staff alone."""
    return cast(User, request.user)


def _recovery_codes_page(request: HttpRequest, codes: list[str]) -> HttpResponse:
    # The answer itself holds them: a message or a redirect would store them in the session.
    return _page(request, "recovery_codes", _("Recovery codes"), codes=codes)


def _confirm_page(request: HttpRequest, form: Form, title: Any, told: Any) -> HttpResponse:
    if Authenticator.objects.of(signed_in(request)) is None:
        return redirect("account:two-step")
    return _page(request, "two_step_confirm", title, form=form, told=told)


def _page(request: HttpRequest, template: str, title: Any, **context: Any) -> HttpResponse:
    everything = {**admin.site.each_context(request), "title": title, **context}
    return TemplateResponse(request, f"admin/accounts/{template}.html", everything)

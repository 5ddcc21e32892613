"""Pages of the sign-in, and of the own account: password, preferences, two-step sign-in."""

from typing import Any, cast

import segno
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
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext_lazy as _

from ivsvod.accounts.forms import CodeForm, FirstCodeForm, OwnPasswordForm, PasswordForm, SignInForm
from ivsvod.accounts.models import Authenticator, User
from ivsvod.accounts.second_factor import (
    NotBegunError,
    authenticator_begin,
    authenticator_remove,
    recovery_codes_renew,
    set_up_of,
)
from ivsvod.accounts.services import account_set_time_zone
from ivsvod.accounts.sign_in import WAITING, account_waiting, other_sessions_end, wait_for_code
from ivsvod.accounts.time_zones import PreferencesForm

_SET_UP_BEGUN = "two_step_begun"


class SignInView(LoginView):
    """The sign-in of the admin: name and password, then a code if the account has two-step sign-in."""

    authentication_form: Any = SignInForm
    template_name = "admin/login.html"
    next_page = "admin:index"
    title = _("Log in")

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Show the form; redirect staff that is signed in already."""
        if admin.site.has_permission(request):
            return redirect("admin:index")
        return super().get(request, *args, **kwargs)

    def form_valid(self, form: Any) -> HttpResponse:
        account: User = form.get_user()
        if Authenticator.objects.of(account) is None:
            return super().form_valid(form)
        wait_for_code(self.request, account)
        return HttpResponseRedirect(with_next(self, "account:code"))

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Return the context of the admin's own sign-in view."""
        stock = {"title": self.title, "subtitle": None, "app_path": self.request.get_full_path()}
        stock["username"] = self.request.user.get_username()
        return {**admin.site.each_context(self.request), **super().get_context_data(**kwargs), **stock}


class CodeView(SignInView):
    """The second step: the code of an authenticator app, or a recovery code."""

    authentication_form = CodeForm
    template_name = "admin/accounts/code.html"
    title = _("Two-step sign-in")

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Show the page if an account waits for a code; else redirect to the first step."""
        self.account = account_waiting(request)
        if self.account is None:
            return HttpResponseRedirect(with_next(self, "admin:login"))
        return super().dispatch(request, *args, **kwargs)

    def get_form_kwargs(self) -> dict[str, Any]:
        return {**super().get_form_kwargs(), "account": self.account}

    def form_valid(self, form: Any) -> HttpResponse:
        self.request.session.pop(WAITING, None)
        return LoginView.form_valid(self, form)


def with_next(view: LoginView, name: str) -> str:
    """Return the URL of a step of the sign-in, with the page that follows the sign-in."""
    target = view.get_redirect_url()
    return reverse(name) + (f"?{urlencode({REDIRECT_FIELD_NAME: target})}" if target else "")


class PasswordChange(PasswordChangeView):
    """Change the own password, with the limits on guessing of the sign-in."""

    form_class = OwnPasswordForm
    template_name = "registration/password_change_form.html"
    success_url = reverse_lazy("admin:password_change_done")

    def get_form_kwargs(self) -> dict[str, Any]:
        return {**super().get_form_kwargs(), "request": self.request}

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return {**super().get_context_data(**kwargs), **admin.site.each_context(self.request)}


def preferences(request: HttpRequest) -> HttpResponse:
    """Show and change the time zone of the account."""
    account = _account(request)
    form = PreferencesForm(request.POST or None, initial={"time_zone": account.time_zone})
    if form.is_valid():
        account_set_time_zone(account=account, time_zone=form.cleaned_data["time_zone"])
        messages.success(request, _("Your preferences were saved."))
        return redirect("account:preferences")
    return _page(request, "preferences", _("Preferences"), form=form)


def two_step(request: HttpRequest) -> HttpResponse:
    """Show whether two-step sign-in is on; the password begins its set-up."""
    account = _account(request)
    device, form = Authenticator.objects.of(account), PasswordForm(request, request.POST or None)
    if device is None and form.is_valid():
        authenticator_begin(account=account)
        request.session[_SET_UP_BEGUN] = True
        return redirect("account:two-step-set-up")
    context = {"device": device, "form": form, "is_required": settings.REQUIRE_SECOND_FACTOR}
    return _page(request, "two_step", _("Two-step sign-in"), **context)


def two_step_set_up(request: HttpRequest) -> HttpResponse:
    """Show the secret for the app until its first code is right; then show the recovery codes."""
    account = _account(request)
    # Only the session that gave the password sees the secret.
    set_up = set_up_of(account) if request.session.get(_SET_UP_BEGUN) else None
    if set_up is None:
        return redirect("account:two-step")
    form = FirstCodeForm(request, request.POST or None, account=account)
    try:
        if form.is_valid() and form.recovery_codes:
            # End the sessions that a password alone opened.
            other_sessions_end(request)
            return _recovery_codes_page(request, form.recovery_codes)
    except NotBegunError:
        # Another window finished it.
        return redirect("account:two-step")
    secret, uri = set_up
    context = {"secret": secret, "picture": qr_svg(uri), "form": form}
    return _page(request, "two_step_set_up", _("Set up two-step sign-in"), **context)


def qr_svg(text: str) -> SafeString:
    """Return the QR code as an SVG without styles or scripts; black on white on dark pages too, as apps need it."""
    picture = segno.make(text, error="m").svg_inline(omitsize=True, svgclass="qr", lineclass=None, light="#ffffff")
    return mark_safe(picture)  # noqa: S308  (it draws the text as squares)


def two_step_recovery_codes(request: HttpRequest) -> HttpResponse:
    """Make new recovery codes, after the password."""
    form = PasswordForm(request, request.POST or None)
    if form.is_valid():
        codes = recovery_codes_renew(account=_account(request))
        return redirect("account:two-step") if codes is None else _recovery_codes_page(request, codes)
    return _confirm_page(request, form, _("New recovery codes"), _("The old codes are not accepted any more."))


def two_step_off(request: HttpRequest) -> HttpResponse:
    """Turn two-step sign-in off, after the password."""
    form = PasswordForm(request, request.POST or None)
    if form.is_valid():
        if authenticator_remove(account=_account(request)):
            messages.success(request, _("Two-step sign-in is off."))
        return redirect("account:two-step")
    explanation = _("Then your password alone opens your account. Codes of the app and recovery codes do not count.")
    return _confirm_page(request, form, _("Turn off two-step sign-in"), explanation)


def _account(request: HttpRequest) -> User:
    """Return the account of the request; only staff reaches these pages."""
    return cast(User, request.user)


def _recovery_codes_page(request: HttpRequest, codes: list[str]) -> HttpResponse:
    # The answer itself holds them: a message or a redirect would store them in the session.
    return _page(request, "recovery_codes", _("Recovery codes"), codes=codes)


def _confirm_page(request: HttpRequest, form: Form, title: Any, explanation: Any) -> HttpResponse:
    if Authenticator.objects.of(_account(request)) is None:
        return redirect("account:two-step")
    return _page(request, "two_step_confirm", title, form=form, explanation=explanation)


def _page(request: HttpRequest, template: str, title: Any, **context: Any) -> HttpResponse:
    context |= {**admin.site.each_context(request), "title": title}
    return TemplateResponse(request, f"admin/accounts/{template}.html", context)

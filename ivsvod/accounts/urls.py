"""Routes of the sign-in and of the own account; they stand before those of the admin."""

from collections.abc import Callable
from typing import Any

from django.contrib import admin
from django.urls import path
from django.views.decorators.debug import sensitive_post_parameters

from common.audit import audited
from ivsvod.accounts import views

app_name = "account"


def _staff(view: Callable[..., Any]) -> Callable[..., Any]:
    """Open a view to staff only; error reports leave out its form."""
    return admin.site.admin_view(sensitive_post_parameters()(view))


urlpatterns = [
    # In place of the admin's own.
    path("login/", views.SignInView.as_view(), name="sign-in"),
    path("login/code/", views.CodeView.as_view(), name="code"),
    # The admin's own, with the author of the write in the audit log.
    path("password_change/", _staff(audited()(views.PasswordChange.as_view())), name="password-change"),
    path("account/preferences/", _staff(views.preferences), name="preferences"),
    path("account/two-step/", _staff(views.two_step), name="two-step"),
    path("account/two-step/set-up/", _staff(views.two_step_set_up), name="two-step-set-up"),
    path("account/two-step/recovery-codes/", _staff(views.two_step_recovery_codes), name="two-step-recovery-codes"),
    path("account/two-step/off/", _staff(views.two_step_off), name="two-step-off"),
]

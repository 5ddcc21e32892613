"""Accounts, API tokens and sign-ins in the admin."""

from ivsvod.accounts.admin.accounts import AccountAdmin as AccountAdmin
from ivsvod.accounts.admin.accounts import RightsAdmin as RightsAdmin
from ivsvod.accounts.admin.sign_ins import FailedSignInAdmin as FailedSignInAdmin
from ivsvod.accounts.admin.sign_ins import SignInAdmin as SignInAdmin
from ivsvod.accounts.admin.tokens import ApiTokenAdmin as ApiTokenAdmin

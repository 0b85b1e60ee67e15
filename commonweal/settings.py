"""The one settings file. The environment is read here and nowhere else; docs/reference/settings.md lists it all.

Without any setting, Commonweal runs on this machine alone, with its embedded database and a demonstration world. Once
`COMMONWEAL_URL` is a public address, insecure values are refused at the start.
"""

from __future__ import annotations

import os
import secrets
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from django.core.exceptions import ImproperlyConfigured
from psycopg import ProgrammingError
from psycopg.conninfo import conninfo_to_dict

from commonweal.kernel.postgres.server import DATABASE, USER, Server
from commonweal.kernel.registry import services
from commonweal.kernel.secret import kept

HOME = Path(os.environ.get("COMMONWEAL_DATA_DIR", ".data")).absolute()
"""The data directory: database, keys, uploads."""
URL = os.environ.get("COMMONWEAL_URL", "")
"""The public address, if there is one: `https://gives.example`."""
PORT = int(os.environ.get("COMMONWEAL_PORT", "8000"))
DATABASE_URL = os.environ.get("DATABASE_URL", "")
"""A PostgreSQL server (15 or newer) instead of the embedded one: `postgresql://user:password@host/name`."""
LOG_NAME = os.environ.get("COMMONWEAL_LOG_NAME", "demonstration.commonweal.example/log")
"""The name of the public log: chosen once, when its key is made."""
ADDRESS = URL or f"http://127.0.0.1:{PORT}"
"""Where this platform is reached: what links in messages begin with."""
DEMONSTRATION = not URL
"""Whether this is a demonstration: pages say so, and `seed` may make its world."""
TELEPHONE_GATEWAY = os.environ.get("COMMONWEAL_SMS_URL", "")
WECHAT = os.environ.get("COMMONWEAL_WECHAT", "")
"""The WeChat application with which people may sign in: `APPID:SECRET`."""
MAIL = os.environ.get("COMMONWEAL_SMTP_URL", "")
"""Where mail is handed in: `smtp://user:password@host:587`; without it mail is written to the console."""

_public = urlsplit(URL)
if URL and (_public.scheme != "https" or not _public.hostname or _public.path not in ("", "/")):
    raise ImproperlyConfigured("COMMONWEAL_URL must be https://host, without a path: passwords travel over it")
if URL and "COMMONWEAL_LOG_NAME" not in os.environ:
    raise ImproperlyConfigured("a public platform needs COMMONWEAL_LOG_NAME, for example gives.example/log")


def _secret() -> str:
    """The key of sessions and signatures: from the environment, else made once and kept in the data directory."""
    if value := os.environ.get("COMMONWEAL_SECRET", ""):
        if len(value) < 50:
            raise ImproperlyConfigured("COMMONWEAL_SECRET must have at least 50 characters")
        return value
    return kept(HOME / "keys" / "secret", lambda: secrets.token_urlsafe(48).encode()).decode()


def _database() -> dict[str, Any]:
    common: dict[str, Any] = {
        "ENGINE": "django.db.backends.postgresql",
        "CONN_HEALTH_CHECKS": True,  # a session that the database has lost is replaced before it is used
        # A full pool answers 503 after five seconds rather than let everybody wait.
        "OPTIONS": {"pool": {"min_size": 1, "max_size": 16, "timeout": 5}},
    }
    if DATABASE_URL:
        try:
            url = conninfo_to_dict(DATABASE_URL)
        except ProgrammingError as error:
            raise ImproperlyConfigured("DATABASE_URL must be postgresql://user:password@host:port/name") from error
        names = {"HOST": "host", "PORT": "port", "USER": "user", "PASSWORD": "password", "NAME": "dbname"}
        common["OPTIONS"] |= {name: value for name, value in url.items() if name not in names.values()}
        return common | {name: url.get(part, "") for name, part in names.items()}
    return common | {"HOST": str(Server(HOME).socket_directory), "USER": USER, "NAME": DATABASE}


SECRET_KEY = _secret()
DEBUG = False
ALLOWED_HOSTS = [_public.hostname] if _public.hostname else ["127.0.0.1", "localhost", "[::1]", "testserver"]
CSRF_TRUSTED_ORIGINS = [URL] if URL else []
SECURE_SSL_REDIRECT = SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = bool(URL)
SECURE_HSTS_SECONDS = 31_536_000 if URL else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = bool(URL)
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CONTENT_TYPE_NOSNIFF = True
SESSION_ENGINE = "commonweal.kernel.parties.session_store"
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
X_FRAME_OPTIONS = "DENY"
CSRF_FAILURE_VIEW = "commonweal.web.failures.forged"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": ["'self'"],
        "img-src": ["'self'", "data:"],
        "object-src": ["'none'"],
        "base-uri": ["'none'"],
        "frame-ancestors": ["'none'"],
        "form-action": ["'self'"],
    }
}

DATABASES = {"default": _database()}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "commonweal.kernel.proof",
    "commonweal.kernel.ledger",
    "commonweal.kernel.parties",
    "commonweal.kernel.jobs",
    "commonweal.kernel.notices",
    "commonweal.kernel.files",
    *(f"commonweal.services.{service.name}" for service in services()),
    "commonweal.web",
    "allauth",
    "allauth.account",
    "allauth.mfa",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.middleware.gzip.GZipMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "commonweal.web.middleware.LanguageInPath",
    "commonweal.web.middleware.Failures",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "commonweal.web.middleware.Private",
    "django.contrib.messages.middleware.MessageMiddleware",
    "allauth.account.middleware.AccountMiddleware",
]

ROOT_URLCONF = "commonweal.web.urls"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "builtins": [
                "django.templatetags.static",
                "commonweal.web.templatetags.commonweal",
                "commonweal.web.templatetags.signin",
                "commonweal.web.templatetags.log",
            ],
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "commonweal.web.context.house",
            ],
        },
    }
]

LANGUAGE_CODE = "zh-hans"
LANGUAGES = [("zh-hans", "中文"), ("en", "English")]
USE_I18N = True
TIME_ZONE = "UTC"
LOCAL_ZONE = os.environ.get("COMMONWEAL_ZONE", "Asia/Shanghai")
"""The zone in which days begin and times are shown."""
MAP_APPROVAL = os.environ.get("COMMONWEAL_MAP_APPROVAL", "")
"""The approval number (审图号) under which maps may be published where that is asked for; shown on every map."""
USE_TZ = True

STATIC_URL = "/static/"
STATIC_ROOT = HOME / "static"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.InMemoryStorage"},  # uploads go through kernel.files alone
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}
WHITENOISE_MAX_AGE = 31_536_000
DATA_UPLOAD_MAX_MEMORY_SIZE = 1_000_000
DATA_UPLOAD_MAX_NUMBER_FIELDS = 200
FILE_UPLOAD_MAX_MEMORY_SIZE = 1_000_000

AUTH_USER_MODEL = "parties.Login"
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.Argon2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "account"
ACCOUNT_ADAPTER = "commonweal.web.signin.adapter.Adapter"
ACCOUNT_USER_DISPLAY = "commonweal.web.signin.adapter.display"
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
# Whether there is an account is never said: an address is confirmed by a code before anything else.
ACCOUNT_EMAIL_VERIFICATION = "mandatory"
ACCOUNT_EMAIL_VERIFICATION_BY_CODE_ENABLED = True
ACCOUNT_EMAIL_VERIFICATION_SUPPORTS_RESEND = True
ACCOUNT_PASSWORD_RESET_BY_CODE_ENABLED = True
ACCOUNT_EMAIL_UNKNOWN_ACCOUNTS = False
ACCOUNT_EMAIL_NOTIFICATIONS = True
ACCOUNT_CHANGE_EMAIL = True
ACCOUNT_REAUTHENTICATION_REQUIRED = True
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_PREVENT_ENUMERATION = True
ACCOUNT_LOGOUT_ON_GET = False
ACCOUNT_RATE_LIMITS = {"login_failed": "10/m/ip,5/5m/key"}
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_ADAPTER = "commonweal.web.signin.adapter.MfaAdapter"
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_PASSKEY_SIGNUP_ENABLED = True
MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = not URL
MFA_TOTP_ISSUER = "Commonweal"

CACHES = {
    # Shared by all processes, so that sign-in limits count everywhere.
    "default": {"BACKEND": "django.core.cache.backends.db.DatabaseCache", "LOCATION": "web_cache"}
}

EMAIL_BACKEND = f"django.core.mail.backends.{'smtp' if MAIL else 'console'}.EmailBackend"
if MAIL:
    _mail = urlsplit(MAIL)
    EMAIL_HOST, EMAIL_PORT = _mail.hostname, _mail.port or 587
    EMAIL_HOST_USER, EMAIL_HOST_PASSWORD = _mail.username or "", _mail.password or ""
    EMAIL_USE_TLS = True
DEFAULT_FROM_EMAIL = os.environ.get("COMMONWEAL_MAIL_FROM", "commonweal@localhost")

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "handlers": {"console": {"class": "logging.StreamHandler"}},
    "root": {"handlers": ["console"], "level": "WARNING"},
    "loggers": {"psycopg.pool": {"level": "ERROR"}},  # while the database is away it warns many times a second
}

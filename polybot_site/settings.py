"""Django's settings, derived from the typed configuration. Nothing is read from the environment here; see `polybot_site.config`."""

from __future__ import annotations

import sys
from importlib.util import find_spec
from typing import Any

from psycopg.conninfo import conninfo_to_dict

from infra import logging as polybot_logging
from infra.files import load_or_create_secret
from infra.paths import ROOT, var_dir
from polybot_site.admin_look import LOOK
from polybot_site.config_loader import current
from polybot_site.locations import database_url, redis_url
from polybot_site.schedule import SCHEDULE
from polybot_site.storage import storage_settings

DASHBOARD = ROOT / "dashboard" / "dist"
CONFIG = current().config
REDIS_URL = redis_url()

DEBUG = False
SECRET_KEY = (
    CONFIG.server.secret_key.get_secret_value()
    if CONFIG.server.secret_key
    else load_or_create_secret(var_dir() / "django.secret")
)
ALLOWED_HOSTS = list(CONFIG.server.allowed_hosts)
CSRF_TRUSTED_ORIGINS = list(CONFIG.server.cors_origins)
CORS_ALLOWED_ORIGINS = list(CONFIG.server.cors_origins)
CORS_URLS_REGEX = r"^/api/"
CORS_ALLOW_HEADERS = ("authorization", "content-type", "idempotency-key")
ROOT_URLCONF = "polybot_site.urls"
ASGI_APPLICATION = "polybot_site.asgi.application"

# daphne takes over `runserver` and costs every other process its slow import.
_RUNSERVER = ["daphne"] if "runserver" in sys.argv[1:2] and find_spec("daphne") else []
_OURS = [
    name
    for name in ("polybot_site", "markets", "strategies", "trading", "arbitrage")
    if (ROOT / name / "apps.py").exists()
]

INSTALLED_APPS = [
    *_RUNSERVER,
    "unfold",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "channels",
    "corsheaders",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "django_celery_beat",
    *_OURS,
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "polybot_site.security.SecurityHeaders",
    "polybot_site.nul_guard.NulGuard",
    "corsheaders.middleware.CorsMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.auth.middleware.LoginRequiredMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [ROOT / "polybot_site" / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]


def _database(url: str) -> dict[str, Any]:
    """Return Django's description of the database at `url`; what is not host, port, user, name or password becomes an option."""
    parts = dict(conninfo_to_dict(url))
    names = {"HOST": "host", "PORT": "port", "USER": "user", "PASSWORD": "password", "NAME": "dbname"}
    known = {ours: str(parts.pop(theirs, "") or "") for ours, theirs in names.items()}
    return {
        "ENGINE": "django.db.backends.postgresql",
        **known,
        "OPTIONS": parts,
        # Under ASGI each request has a thread of its own for an instant: what is kept for a next one stays open until the server has no more.
        "CONN_MAX_AGE": 0,
    }


DATABASES = {"default": _database(database_url())}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

LANGUAGE_CODE = "en-us"
TIME_ZONE = "UTC"
USE_TZ = True

STORAGES = {
    "default": storage_settings(CONFIG.s3),
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}

# Static files are served where they lie; nothing is collected.
STATIC_URL = "/static/"
WHITENOISE_USE_FINDERS = True

# The dashboard's build, behind the page that `polybot_site.views` serves. Its files carry a digest in their names.
STATICFILES_DIRS = [("dashboard", DASHBOARD)] if DASHBOARD.is_dir() else []
WHITENOISE_IMMUTABLE_FILE_TEST = r"^/static/dashboard/assets/"

LOGIN_URL = "login"
LOGIN_REDIRECT_URL = "/"
LOGOUT_REDIRECT_URL = "login"
SESSION_COOKIE_AGE = 86_400
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = CONFIG.server.https
SECURE_SSL_REDIRECT = CONFIG.server.https
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if CONFIG.server.https else None
SECURE_HSTS_SECONDS = 31_536_000 if CONFIG.server.https else 0
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in ("UserAttributeSimilarityValidator", "MinimumLengthValidator", "CommonPasswordValidator")
]

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "polybot_site.authentication.BearerAuthentication",
        "rest_framework.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["polybot_site.permissions.RolePermission"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["polybot_site.parsers.BoundedJSONParser"],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "EXCEPTION_HANDLER": "polybot_site.errors.handle",
}
UNFOLD = LOOK
SPECTACULAR_SETTINGS = {
    "TITLE": "polybot",
    "DESCRIPTION": "Trading on prediction markets. Prices and amounts are decimal texts, times are ISO 8601 in UTC.",
    "VERSION": "1",
    "SERVE_PERMISSIONS": ["polybot_site.permissions.RolePermission"],
    "SERVE_INCLUDE_SCHEMA": False,
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
}

CHANNEL_LAYERS = {
    "default": {"BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer", "CONFIG": {"hosts": [REDIS_URL]}},
}

MARKET_CATALOG = "polybot_site.market_catalog.open_catalog"

CELERY_BROKER_URL = REDIS_URL
CELERY_BEAT_SCHEDULE = SCHEDULE
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_DEFAULT_QUEUE = "scrape"
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BEAT_SCHEDULER = "django_celery_beat.schedulers:DatabaseScheduler"

LOGGING_CONFIG = None
polybot_logging.configure(level=CONFIG.log_level, log_format=CONFIG.log_format)

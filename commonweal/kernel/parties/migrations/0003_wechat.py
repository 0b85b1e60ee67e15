"""Signing in with WeChat."""

from django.db import migrations, models


class Migration(migrations.Migration):
    """Adds the keyed hash of an identifier."""

    dependencies = [
        ("parties", "0002_session"),
    ]

    operations = [
        migrations.AddField(
            model_name="login",
            name="wechat",
            field=models.CharField(help_text="keyed hash of the identifier", max_length=64, null=True, unique=True),
        ),
    ]

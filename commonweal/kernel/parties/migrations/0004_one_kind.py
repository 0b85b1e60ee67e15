"""One name for the permission to raise funds in public: certificates filed under the other one count like all."""

from django.db import migrations, models

RENAME = "UPDATE parties_credential SET kind = 'public-fundraising' WHERE kind = 'fundraising'"


class Migration(migrations.Migration):
    """Renames the kind, and lets nobody file under the old name again."""

    dependencies = [("parties", "0003_wechat")]
    operations = [
        migrations.RunSQL(RENAME, migrations.RunSQL.noop, elidable=False),
        migrations.AddConstraint(
            model_name="credential",
            constraint=models.CheckConstraint(name="parties_credential_kind", condition=~models.Q(kind="fundraising")),
        ),
    ]

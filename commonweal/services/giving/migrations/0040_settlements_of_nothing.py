"""A settlement may come to nothing: a fee as large as its payment, or as much back as came in. Its lines are settled."""

from django.db import migrations

SQL = "ALTER TABLE giving_settlement DROP CONSTRAINT giving_settlement_amount_check"


class Migration(migrations.Migration):
    """Lets the amount be zero."""

    dependencies = [("giving", "0039_ways_in")]
    operations = [migrations.RunSQL(SQL, elidable=False)]

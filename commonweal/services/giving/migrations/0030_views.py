"""Stewards' looks at what is sealed or personal, and their notes on charities."""

from django.db import migrations

VIEWS = """
CREATE TABLE giving_view (
    id      uuid PRIMARY KEY,
    steward uuid NOT NULL,
    what    text NOT NULL,
    thing   uuid NOT NULL,
    subject uuid NOT NULL,                                  -- whom it concerns: a pseudonym, or an organisation
    fact    uuid NOT NULL,
    at      timestamptz NOT NULL
);
CREATE INDEX giving_view_at ON giving_view (at);

CREATE TABLE giving_risk_note (
    id           uuid PRIMARY KEY,
    organisation uuid NOT NULL REFERENCES parties_party (id),
    campaign     uuid REFERENCES giving_campaign (id),
    steward      uuid NOT NULL,
    sealed       bytea NOT NULL,
    at           timestamptz NOT NULL
);
CREATE INDEX giving_risk_note_organisation ON giving_risk_note (organisation, at);

CREATE FUNCTION giving_check_risk_notes() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM giving_refuse(format('note %s is on a campaign of another charity', n.id))
    FROM added n JOIN giving_campaign c ON c.id = n.campaign WHERE c.organisation_id <> n.organisation;
    PERFORM giving_refuse(format('note %s is not by a steward of others', n.id))
    FROM added n JOIN parties_grant g ON g.party_id = n.steward AND g.within_id = n.organisation
    WHERE g.role = 'officer' AND g.revoked_at IS NULL;
    RETURN NULL;
END $$;
CREATE TRIGGER check_notes AFTER INSERT ON giving_risk_note
    REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION giving_check_risk_notes();
"""

APPEND_ONLY = "".join(
    f"CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON giving_{table} "
    "FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();\n"
    for table in ("view", "risk_note")
)


class Migration(migrations.Migration):
    """Creates the tables."""

    dependencies = [("giving", "0029_partners")]
    operations = [migrations.RunSQL(sql, elidable=False) for sql in (VIEWS, APPEND_ONLY)]

"""The International Aid Transparency Initiative's activity standard 2.03, as much of it as campaigns fill: pure.

https://iatistandard.org/en/iati-standard/203/
"""

from commonweal.services.giving.iati.writing import Activity, Movement, Organisation, write

__all__ = ["Activity", "Movement", "Organisation", "write"]

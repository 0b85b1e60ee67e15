"""The 360Giving data standard: grants as funders really publish them, read and written. Pure: bytes in, values out.

`read` takes JSON or CSV and gives awards, together with every row that it refuses and every value that it had to
change or set aside; `write` gives JSON that is valid against the standard's schema. Source of the form: 360Giving Data
Standard 1.4, https://standard.threesixtygiving.org (CC BY 4.0).
"""

from commonweal.services.giving.threesixty.reading import Award, Reading, RefusedRow, Remark, read
from commonweal.services.giving.threesixty.values import Organisation
from commonweal.services.giving.threesixty.writing import write

__all__ = ["Award", "Organisation", "Reading", "RefusedRow", "Remark", "read", "write"]

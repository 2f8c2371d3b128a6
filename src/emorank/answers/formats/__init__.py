"""Files of votes, in and out; what a file is, its content says, not its name.

| format         | in                                                   | out |
|----------------|------------------------------------------------------|-----|
| `csv`          | one row an answer; votes; the sheet of Table 5       | yes |
| `parquet`      | the same                                             | yes |
| `json`         | answers                                              | yes |
| `label-studio` | an export of Label Studio                            | yes |
| `mdns`         | intensity ratings 0–4, by a cut                      |     |
| `ferplus`      | counts of emotion votes                              |     |
| `cremad`       | counts of emotion votes                              |     |

`answers/interchange.py` chooses among them.
"""

# Nothing is imported here: the command line asks for these names before it prints its help.
FORMATS = ("csv", "parquet", "json", "label-studio", "mdns", "ferplus", "cremad")
WRITABLE = FORMATS[:4]

"""`python -m common.sql`: print the SQL that runs today, which is the newest file of each name."""

import sys

from common.sql.ddl import newest_files, sql_folders

for folder in sql_folders():
    for name, file in sorted(newest_files(folder).items()):
        sys.stdout.write(f"-- {folder}/{file.parent.name}/{name}.sql\n{file.read_text()}\n")

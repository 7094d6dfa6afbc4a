#!/bin/sh
# Backup and restore of the record on PostgreSQL 15 or newer, with its own programs; docs/backup.md says when to use which.
# The server is named as they name it: PGHOST, PGPORT, PGUSER (who may replicate), PGPASSWORD or a file in PGPASSFILE.
set -eu
SLOT=surgical_risk_backup
usage() { sed -n 's/^#= //p' "$0" >&2; exit 2; }
#= backup.sh dump FILE                       a consistent copy of the record while it is used (pg_dump, any later version reads it)
#= backup.sh restore-dump FILE               into an empty database PGDATABASE
#= backup.sh receive FOLDER                  stay, and keep every byte of the write-ahead log as it is written
#= backup.sh base FOLDER                     the whole cluster as it is now, into FOLDER/base-…; needs `receive` from then on
#= backup.sh restore FOLDER DATA [TIME]      the newest base into the empty folder DATA, then the log up to TIME or to its end
case "${1:-}" in
dump)
  [ $# = 2 ] || usage
  pg_dump --format=custom --no-owner --file="$2.part" "${PGDATABASE:-surgical_risk}"
  mv "$2.part" "$2" ;;
restore-dump)
  [ $# = 2 ] || usage
  pg_restore --no-owner --single-transaction --exit-on-error --dbname="${PGDATABASE:-surgical_risk}" "$2" ;;
receive)
  [ $# = 2 ] || usage
  mkdir -p "$2/log"
  pg_receivewal --slot="$SLOT" --create-slot --if-not-exists
  export PGAPPNAME="$SLOT"
  exec pg_receivewal --directory="$2/log" --slot="$SLOT" --synchronous ;;
base)
  [ $# = 2 ] || usage
  new="$2/base-$(date -u +%Y%m%dT%H%M%SZ)"
  pg_basebackup --pgdata="$new.part" --checkpoint=fast --wal-method=stream
  mv "$new.part" "$new" ;;
restore)
  [ $# -ge 3 ] || usage
  folder=$(cd "$2" && pwd)
  base=$(find "$folder" -maxdepth 1 -name 'base-*Z' | sort | tail -n 1)
  [ -n "$base" ] || { echo "no base in $folder" >&2; exit 1; }
  cp -a "$base/." "$3"
  chmod 0700 "$3"
  touch "$3/recovery.signal"
  {
    echo "restore_command = 'cp $folder/log/%f %p 2>/dev/null || cp $folder/log/%f.partial %p'"
    echo "recovery_target_timeline = 'latest'"
    echo "synchronous_standby_names = ''"
    if [ -n "${4:-}" ]; then echo "recovery_target_time = '$4'"; echo "recovery_target_action = 'promote'"; fi
  } >>"$3/postgresql.auto.conf" ;;
*) usage ;;
esac

#!/bin/sh
# Draws the secrets of the stack and a certificate for localhost into compose/state; what is there stays. Needs openssl.
set -eu
state="${1:-$(dirname "$0")/state}"
umask 077
mkdir -p "$state/tls"
cd "$state"
[ -s postgres-password ] || openssl rand -hex 24 >postgres-password
[ -s session-key ] || openssl rand -hex 32 >session-key
password="$(cat postgres-password)"
printf '"surgical_risk" "%s"\n' "$password" >pgbouncer-users
printf 'postgresql+psycopg://surgical_risk:%s@pgbouncer:6432/surgical_risk\n' "$password" >database-url
printf 'postgresql+psycopg://surgical_risk:%s@postgres:5432/surgical_risk\n' "$password" >database-url-direct
[ -s tls/certificate.pem ] || openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 365 \
  -subj /CN=localhost -addext 'subjectAltName=DNS:localhost,IP:127.0.0.1' \
  -keyout tls/key.pem -out tls/certificate.pem 2>/dev/null
# Compose mounts each of them, and no process in a container is root; on this machine the folder keeps everybody out.
chmod 0700 .
chmod 0755 tls
chmod 0644 postgres-password session-key pgbouncer-users database-url database-url-direct tls/certificate.pem tls/key.pem
echo "The stack's secrets and its certificate are in $PWD"

#!/bin/sh
# Takes certificates back: revoke.sh FOLDER NAME...   (FOLDER as for certificates.sh; without a NAME it writes an empty list)
# Writes FOLDER/revoked.crl; copy it to the broker, name it as crlfile in attendance.conf, `systemctl restart mosquitto`.
set -eu
folder=${1:?folder}
shift
umask 077
cd "$folder"
[ -e revoked.txt ] || : >revoked.txt
cat >revoke.cnf <<'END'
[ca]
default_ca = attendance
[attendance]
database = revoked.txt
default_md = sha256
END
authority() { openssl ca -config revoke.cnf -keyfile ca.key -cert ca.crt "$@" 2>/dev/null; }
for name; do
    authority -revoke "$name.crt" || { echo "$folder/$name.crt: there is no such certificate, or it is revoked already" >&2; exit 1; }
    mv "$name.crt" "$name.crt.revoked"
done
authority -gencrl -crldays 3650 -out revoked.crl
rm revoke.cnf
echo "$folder/revoked.crl"

#!/bin/sh
# Certificates for the broker sample: certificates.sh FOLDER BROKER-HOST NAME...   (a NAME is a gateway's id, or `journal`)
# Makes an authority in FOLDER at the first run; later runs add what is missing. Keep ca.key away from every machine of the school.
set -eu
folder=${1:?folder} host=${2:?host name of the broker}
shift 2
umask 077
mkdir -p "$folder"
cd "$folder"

key() { openssl ecparam -name prime256v1 -genkey -noout -out "$1.key"; }
certificate() { # name, subject, extensions
    [ -e "$1.crt" ] && return
    key "$1"
    openssl req -new -key "$1.key" -subj "/CN=$2" -out "$1.csr"
    printf 'subjectKeyIdentifier=hash\nauthorityKeyIdentifier=keyid\n%s\n' "$3" >"$1.ext"
    openssl x509 -req -in "$1.csr" -CA ca.crt -CAkey ca.key -CAcreateserial -days 825 -extfile "$1.ext" -out "$1.crt" 2>/dev/null
    rm "$1.csr" "$1.ext"
    echo "$folder/$1.crt"
}

if [ ! -e ca.key ]; then
    key ca
    openssl req -x509 -new -key ca.key -days 3650 -subj /CN=attendance -addext keyUsage=critical,keyCertSign,cRLSign -out ca.crt
fi
case $host in
    *[!0-9.]*) names=DNS:$host ;;
    *) names=IP:$host ;;
esac
certificate broker "$host" "subjectAltName=$names
extendedKeyUsage=serverAuth"
for name; do
    certificate "$name" "$name" extendedKeyUsage=clientAuth
done

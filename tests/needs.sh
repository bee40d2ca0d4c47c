#!/bin/sh
# Programs of the system that the tests start: installs from Debian what is missing where that is allowed, else says what will not run.
set -eu
PATH=$PATH:/usr/sbin:/sbin$(printf ":%s" /usr/lib/postgresql/*/bin)
python_h=$(${PYTHON:-python3} -c 'import sysconfig; print(sysconfig.get_paths()["include"])' 2>/dev/null)/Python.h
# program or file:package:what is not run without it
needs="
mosquitto:mosquitto:everything over a real MQTT broker
postgres:postgresql:the journal on PostgreSQL
openssl:openssl:the TLS sample of the broker
pcscd:pcscd:PC/SC readers
/usr/lib/pcsc/drivers/serial/libifdvpcd.so:vsmartcard-vpcd:PC/SC readers
gcc:gcc:PC/SC readers, whose library is compiled
swig:swig:PC/SC readers, whose library is compiled
/usr/include/PCSC/winscard.h:libpcsclite-dev:PC/SC readers, whose library is compiled
$python_h:python3-dev:PC/SC readers, whose library is compiled
strace:strace:faults of the disk
faketime:faketime:clocks that jump
ip:iproute2:wires that the kernel spoils
nft:nftables:wires that the kernel spoils
systemd-analyze:systemd:the systemd units
"
missing() {
    echo "$needs" | while IFS=: read -r program package without; do
        [ -z "$program" ] || command -v "$program" >/dev/null || [ -f "$program" ] || echo "$program:$package:$without"
    done
}
packages=$(missing | cut -d: -f2)
[ -n "$packages" ] || exit 0

root=
[ "$(id -u)" = 0 ] || root="sudo -n"
if command -v apt-get >/dev/null && $root true 2>/dev/null; then
    echo "installing for the tests:" $packages
    # Debian starts a broker after installing it; the tests start their own, so a service that was not wanted is not left behind.
    stay=/usr/sbin/policy-rc.d
    if [ ! -e $stay ]; then
        printf '#!/bin/sh\nexit 101\n' | $root tee $stay >/dev/null && $root chmod +x $stay
        trap '$root rm -f $stay' EXIT
    fi
    { $root apt-get update -qq && $root env DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends $packages; } >&2 || true
fi
missing | while IFS=: read -r program package without; do
    echo "missing: $program (apt install $package); not run without it: $without"
done

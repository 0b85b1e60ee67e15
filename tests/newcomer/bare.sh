#!/bin/bash
# Measures `make run` in a bare Debian (python3, python3-venv, make and git, nothing else), as root or as a plain user.
#
#   tests/newcomer/bare.sh DIRECTORY [USER]     needs root, debootstrap and util-linux; DIRECTORY is made once and kept
#
# A root of its own, not a chroot: in a chroot nobody may make user namespaces, which is not what a newcomer has.
set -euo pipefail
root=$(realpath -m "$1") user=${2:-root} source=$(cd "$(dirname "$0")/../.." && pwd)
packages=python3,python3-venv,make,git,ca-certificates
[ -e "$root/usr/bin/git" ] || debootstrap --variant=minbase --include=$packages bookworm "$root"
cp /etc/resolv.conf "$root/etc/resolv.conf"
cp /etc/ssl/certs/ca-certificates.crt "$root/etc/ssl/certs/ca-certificates.crt"
home=/root
if [ "$user" != root ]; then
  chroot "$root" id "$user" >/dev/null 2>&1 || chroot "$root" useradd -m "$user"
  home=/home/$user
fi
rm -rf "$root$home/commonweal"
git clone -q "$source" "$root$home/commonweal"
chroot "$root" chown -R "$user" "$home"
cat >"$root/newcomer.sh" <<EOF
cd $home/commonweal
export HOME=$home PATH=/usr/sbin:/usr/bin:/sbin:/bin SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt COMMONWEAL_PORT=8104
served() { python3 -c "import urllib.request as u; u.urlopen('http://127.0.0.1:8104/zh/', timeout=5)" 2>/dev/null; }
for start in "first page" "second start"; do
  begun=\$(date +%s.%N)
  make run >run.log 2>&1 & make=\$!
  until served; do kill -0 \$make || { cat run.log; exit 1; }; sleep 0.1; done
  python3 -c "print('\$start:', round(\$(date +%s.%N) - \$begun, 2), 's')"
  kill -INT \$(cat .data/run.lock)
  wait \$make || true
  tail -1 run.log
done
du -sh .venv .data
EOF
exec unshare --mount --pid --fork bash -ec "
  mount --bind '$root' '$root'
  mkdir -p '$root/before'
  mount -t proc proc '$root/proc'
  mount --rbind /dev '$root/dev'
  cd '$root'
  pivot_root . before
  umount -l /before
  exec su -s /bin/bash $user -c 'bash /newcomer.sh'"

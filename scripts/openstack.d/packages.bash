# shellcheck shell=bash
# Debian's packages, installed without letting any of them start a daemon.

PACKAGES=(senlin-common python3-senlin keystone python3-mysqldb uwsgi-core uwsgi-plugin-python3 mariadb-server rabbitmq-server
  python3-openstacksdk python3-openstackclient python3-senlinclient curl ca-certificates procps util-linux)
POLICY=/usr/sbin/policy-rc.d

missing_packages() {
  local package
  for package in "${PACKAGES[@]}"; do
    [ "$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null)" = installed ] || echo "$package"
  done
}

install_packages() {
  command -v apt-get >/dev/null || die "this is not Debian: there is no apt-get"
  exec 8>/run/lock/profilesync-openstack-packages
  flock -w 900 8 || die "another run has been installing packages for 15 minutes"
  local missing
  mapfile -t missing < <(missing_packages)
  if [ ${#missing[@]} -gt 0 ]; then
    say "installing ${missing[*]}"
    forbid_daemons
    debconf_answers | debconf-set-selections
    apt "${missing[@]}"
    allow_daemons
    mapfile -t missing < <(missing_packages)
    [ ${#missing[@]} -eq 0 ] || die "apt-get has not installed ${missing[*]}"
  fi
  exec 8>&-
}

# Debian asks this file before a package's script starts a daemon. One that was there before is put
# back, also by the next run when this one was killed.
forbid_daemons() {
  trap allow_daemons EXIT
  if [ -e "$POLICY" ] && ! grep -q 'profilesync: for the time' "$POLICY"; then
    mv -f "$POLICY" "$POLICY.before-profilesync"
  fi
  printf '#!/bin/sh\n# profilesync: for the time of an installation no daemon starts\nexit 101\n' >"$POLICY"
  chmod 755 "$POLICY"
}

allow_daemons() {
  trap - EXIT
  rm -f "$POLICY"
  [ ! -e "$POLICY.before-profilesync" ] || mv -f "$POLICY.before-profilesync" "$POLICY"
}

debconf_answers() {
  cat <<ANSWERS
keystone keystone/configure_db boolean false
keystone keystone/create-admin-tenant boolean false
keystone keystone/register-endpoint boolean false
senlin-common senlin/configure_db boolean false
senlin-common senlin/configure_rabbit boolean false
ANSWERS
}

apt() { # package... ; package lists that are missing or too old are fetched once
  local log=$LOGS/apt.log lists
  lists=$(find /var/lib/apt/lists -maxdepth 1 -name '*_Packages*' 2>/dev/null | head -n 1)
  if [ -n "$lists" ] && apt_get install "$@" >>"$log" 2>&1; then return 0; fi
  apt_get update >>"$log" 2>&1 || { tail -n 15 "$log" >&2; die "apt-get update, see $log"; }
  apt_get install "$@" >>"$log" 2>&1 || { tail -n 15 "$log" >&2; die "apt-get install, see $log"; }
}

apt_get() {
  DEBIAN_FRONTEND=noninteractive timeout 900 apt-get -q -y --no-install-recommends -o DPkg::Lock::Timeout=300 \
    "$@" </dev/null 8>&- 9>&-
}

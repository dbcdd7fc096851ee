# shellcheck shell=bash
# The settings, the state directory and every configuration file of the cloud.

SETTINGS=(KEYSTONE_PORT SENLIN_PORT AMQP_PORT DIST_PORT EPMD_PORT TOKEN_TTL TOKEN_CACHE NAME_UNIQUE BACKEND)

settings_from_environment() {
  local port=${PROFILESYNC_OPENSTACK_PORT:-15000}
  KEYSTONE_PORT=${PROFILESYNC_OPENSTACK_KEYSTONE_PORT:-$port}
  SENLIN_PORT=${PROFILESYNC_OPENSTACK_SENLIN_PORT:-$((port + 1))}
  AMQP_PORT=${PROFILESYNC_OPENSTACK_AMQP_PORT:-$((port + 2))}
  DIST_PORT=${PROFILESYNC_OPENSTACK_DIST_PORT:-$((port + 3))}
  EPMD_PORT=${PROFILESYNC_OPENSTACK_EPMD_PORT:-$((port + 4))}
  TOKEN_TTL=${PROFILESYNC_OPENSTACK_TOKEN_TTL:-3600}
  TOKEN_CACHE=${PROFILESYNC_OPENSTACK_TOKEN_CACHE:-300}
  NAME_UNIQUE=${PROFILESYNC_OPENSTACK_NAME_UNIQUE:-false}
  BACKEND=${PROFILESYNC_OPENSTACK_BACKEND:-openstack_test}
  local name
  for name in KEYSTONE_PORT SENLIN_PORT AMQP_PORT DIST_PORT EPMD_PORT TOKEN_TTL; do
    [[ ${!name} =~ ^[1-9][0-9]{0,5}$ ]] || die "PROFILESYNC_OPENSTACK_$name is \"${!name}\", which is no number"
  done
  [[ $TOKEN_CACHE =~ ^(-1|[1-9][0-9]{0,5})$ ]] || die "PROFILESYNC_OPENSTACK_TOKEN_CACHE is \"$TOKEN_CACHE\"; it is seconds, or -1"
  [[ $NAME_UNIQUE =~ ^(true|false)$ ]] || die "PROFILESYNC_OPENSTACK_NAME_UNIQUE is \"$NAME_UNIQUE\"; it is true or false"
  addresses
}

settings_from_state() {
  # shellcheck disable=SC1091
  . "$STATE/settings"
  # shellcheck disable=SC1091
  . "$STATE/secrets"
  addresses
}

addresses() {
  KEYSTONE_URL=http://127.0.0.1:$KEYSTONE_PORT/v3
  SENLIN_URL=http://127.0.0.1:$SENLIN_PORT
  DATABASE_SOCKET=$RUN/mysql/mariadb.sock
}

# The state directory is root's: a daemon writes only to the directories that are given to its user.
make_state() {
  [ ! -e "$STATE" ] || [ -O "$STATE" ] || die "$STATE belongs to another user"
  mkdir -p "$STATE" "$ETC" "$LOGS" "$RUN"
  chmod 755 "$STATE" "$ETC" "$LOGS" "$RUN"
}

make_daemons_directories() {
  local user
  for user in mysql rabbitmq keystone senlin; do
    install -d -o "$user" -g "$user" -m 750 "$STATE/home/$user" "$LOGS/$user" "$ETC/$user" "$ETC/$user/policy.d"
  done
  install -d -o mysql -g mysql -m 755 "$RUN/mysql"
  install -d -o mysql -g mysql -m 700 "$STATE/data"
}

random() { head -c 24 /dev/urandom | base64 | tr '+/' '-_'; }

make_secrets() {
  if [ ! -e "$STATE/secrets" ]; then
    local who
    for who in DATABASE BROKER SENLIN ADMIN TENANT_A TENANT_B READER_A; do
      printf 'PASSWORD_%s=%s\n' "$who" "$(random)"
    done | file_of root 600 "$STATE/secrets"
  fi
  # shellcheck disable=SC1091
  . "$STATE/secrets"
  local name
  for name in "${SETTINGS[@]}"; do printf '%s=%q\n' "$name" "${!name}"; done | file_of root 644 "$STATE/settings"
}

file_of() { # user mode path; the text comes from standard input, and the file is whole or not there
  local new
  new=$(mktemp "$3.XXXXXX")
  cat >"$new"
  chown "$1:$1" "$new"
  chmod "$2" "$new"
  mv -f "$new" "$3"
}

write_configuration() {
  keystone_conf | file_of keystone 640 "$ETC/keystone/keystone.conf"
  keystone_uwsgi | file_of keystone 640 "$ETC/keystone/uwsgi.ini"
  senlin_conf | file_of senlin 640 "$ETC/senlin/senlin.conf"
  file_of senlin 640 "$ETC/senlin/daemon.py" <"$PARTS/senlin_daemon.py"
  rabbitmq_conf | file_of rabbitmq 640 "$ETC/rabbitmq/rabbitmq.conf"
  echo '[].' | file_of rabbitmq 640 "$ETC/rabbitmq/enabled_plugins"
  clouds_yaml | file_of root 600 "$STATE/clouds.yaml"
  make_keys keystone/fernet-keys
  make_keys keystone/credential-keys
}

# A key repository of Keystone is a directory of Fernet keys; number 0 is the next key, the highest
# number the one in use.
make_keys() {
  local dir=$ETC/$1 n
  [ ! -e "$dir/1" ] || return 0
  install -d -o keystone -g keystone -m 700 "$dir"
  for n in 0 1; do
    head -c 32 /dev/urandom | base64 | tr '+/' '-_' | tr -d '\n' | file_of keystone 600 "$dir/$n"
  done
}

# Four rounds of password hashing are the least that Keystone takes; more would only slow the tests.
keystone_conf() {
  cat <<CONF
[DEFAULT]
log_file = $LOGS/keystone/keystone.log
[database]
connection = mysql+mysqldb://keystone:$PASSWORD_DATABASE@localhost/keystone?unix_socket=$DATABASE_SOCKET&charset=utf8
[token]
provider = fernet
expiration = $TOKEN_TTL
[fernet_tokens]
key_repository = $ETC/keystone/fernet-keys
[fernet_receipts]
key_repository = $ETC/keystone/fernet-keys
[credential]
key_repository = $ETC/keystone/credential-keys
[identity]
password_hash_rounds = 4
[oslo_policy]
policy_dirs = $ETC/keystone/policy.d
CONF
}

keystone_uwsgi() {
  cat <<CONF
[uwsgi]
plugins = python3
http-socket = 127.0.0.1:$KEYSTONE_PORT
wsgi-file = /usr/bin/keystone-wsgi-public
env = OS_KEYSTONE_CONFIG_DIR=$ETC/keystone
env = OS_KEYSTONE_CONFIG_FILES=keystone.conf
master = true
processes = 2
threads = 4
lazy-apps = true
thunder-lock = true
die-on-term = true
no-orphans = true
need-app = true
buffer-size = 65535
add-header = Connection: close
disable-logging = true
CONF
}

senlin_conf() {
  cat <<CONF
[DEFAULT]
host = profilesync
transport_url = rabbit://senlin:$PASSWORD_BROKER@127.0.0.1:$AMQP_PORT/
default_region_name = RegionOne
cloud_backend = $BACKEND
name_unique = $NAME_UNIQUE
graceful_shutdown_timeout = 2
[authentication]
auth_url = $KEYSTONE_URL
service_username = senlin
service_password = $PASSWORD_SENLIN
service_project_name = service
[keystone_authtoken]
www_authenticate_uri = $KEYSTONE_URL
auth_url = $KEYSTONE_URL
auth_type = password
username = senlin
password = $PASSWORD_SENLIN
project_name = service
user_domain_name = Default
project_domain_name = Default
region_name = RegionOne
service_token_roles_required = true
token_cache_time = $TOKEN_CACHE
[database]
# The C driver and a large pool: senlin_daemon.py says why.
connection = mysql+mysqldb://senlin:$PASSWORD_DATABASE@localhost/senlin?unix_socket=$DATABASE_SOCKET&charset=utf8
max_pool_size = 20
max_overflow = 80
[senlin_api]
bind_host = 127.0.0.1
bind_port = $SENLIN_PORT
workers = 2
api_paste_config = /usr/share/senlin-common/api-paste.ini
[conductor]
workers = 2
[engine]
workers = 1
[health_manager]
workers = 1
[receiver]
host = 127.0.0.1
port = $SENLIN_PORT
[oslo_policy]
policy_dirs = $ETC/senlin/policy.d
CONF
}

rabbitmq_conf() {
  cat <<CONF
listeners.tcp.1 = 127.0.0.1:$AMQP_PORT
default_user = senlin
default_pass = $PASSWORD_BROKER
vm_memory_high_watermark.absolute = 512MB
disk_free_limit.absolute = 50MB
log.console = false
CONF
}

clouds_yaml() {
  echo 'clouds:'
  cloud_entry admin admin "$PASSWORD_ADMIN"
  cloud_entry tenant-a tenant-a "$PASSWORD_TENANT_A"
  cloud_entry tenant-b tenant-b "$PASSWORD_TENANT_B"
  cloud_entry reader-a tenant-a "$PASSWORD_READER_A"
}

cloud_entry() { # user project password; the entry has the user's name
  cat <<YAML
  $1:
    auth:
      auth_url: $KEYSTONE_URL
      username: $1
      password: "$3"
      project_name: $2
      user_domain_name: Default
      project_domain_name: Default
    region_name: RegionOne
    interface: public
    identity_api_version: 3
YAML
}

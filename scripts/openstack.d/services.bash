# shellcheck shell=bash
# What each service of the cloud is started with, how it shows that it is ready, and what it needs
# the first time.

launch() {
  case $1 in
    epmd)
      port_is_free "$EPMD_PORT" EPMD_PORT
      run_as epmd rabbitmq /usr/bin/epmd -address 127.0.0.1 -port "$EPMD_PORT"
      ;;
    mariadb)
      once database-files mariadb-install-db --no-defaults --user=mysql --datadir="$STATE/data" --skip-test-db \
        --auth-root-authentication-method=socket
      # A power cut may cost this database its data, and nobody will mind.
      run_as mariadb mysql /usr/sbin/mariadbd --no-defaults --datadir="$STATE/data" --socket="$DATABASE_SOCKET" \
        --pid-file="$RUN/mysql/mariadbd.pid" --skip-networking --skip-log-bin --max-connections=400 \
        --innodb-flush-method=nosync --innodb-flush-log-at-trx-commit=0 --log-error="$LOGS/mysql/mariadb.log"
      ;;
    rabbitmq)
      port_is_free "$AMQP_PORT" AMQP_PORT
      port_is_free "$DIST_PORT" DIST_PORT
      run_as rabbitmq rabbitmq env ERL_EPMD_PORT="$EPMD_PORT" ERL_EPMD_ADDRESS=127.0.0.1 RABBITMQ_CONF_ENV_FILE=/dev/null \
        RABBITMQ_NODENAME=profilesync@localhost RABBITMQ_NODE_IP_ADDRESS=127.0.0.1 RABBITMQ_NODE_PORT="$AMQP_PORT" \
        RABBITMQ_DIST_PORT="$DIST_PORT" RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS="-kernel inet_dist_use_interface {127,0,0,1}" \
        RABBITMQ_MNESIA_BASE="$STATE/home/rabbitmq/mnesia" RABBITMQ_PID_FILE="$STATE/home/rabbitmq/pid" \
        RABBITMQ_LOG_BASE="$LOGS/rabbitmq" RABBITMQ_CONFIG_FILE="$ETC/rabbitmq/rabbitmq.conf" \
        RABBITMQ_ADVANCED_CONFIG_FILE="$ETC/rabbitmq/none.config" \
        RABBITMQ_ENABLED_PLUGINS_FILE="$ETC/rabbitmq/enabled_plugins" /usr/lib/rabbitmq/bin/rabbitmq-server
      ;;
    keystone)
      port_is_free "$KEYSTONE_PORT" KEYSTONE_PORT
      run_as keystone keystone /usr/bin/uwsgi-core --ini "$ETC/keystone/uwsgi.ini"
      ;;
    senlin-*)
      [ "$1" != senlin-api ] || port_is_free "$SENLIN_PORT" SENLIN_PORT
      run_as "$1" senlin env PYTHONWARNINGS=ignore /usr/bin/python3 "$ETC/senlin/daemon.py" "$1" \
        --config-file "$ETC/senlin/senlin.conf" --log-file "$LOGS/senlin/$1.log"
      ;;
  esac
}

answers() {
  case $1 in
    epmd) listening "$EPMD_PORT" ;;
    mariadb) sql <<<'SELECT 1' >/dev/null 2>&1 ;;
    rabbitmq) listening "$AMQP_PORT" ;;
    keystone) curl -fsS --max-time 5 -o /dev/null "$KEYSTONE_URL" 2>/dev/null ;;
    senlin-api) senlin_lists ;;
    senlin-*) alive "$1" ;;
  esac
}

configuration_sum() {
  {
    echo "$EPMD_PORT $DIST_PORT"
    case $1 in
      rabbitmq) cat "$ETC/rabbitmq/rabbitmq.conf" ;;
      keystone) cat "$ETC/keystone/keystone.conf" "$ETC/keystone/uwsgi.ini" ;;
      senlin-*) cat "$ETC/senlin/senlin.conf" "$ETC/senlin/daemon.py" ;;
    esac
  } | sha256sum | cut -c 1-16
}

listening() { (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

port_is_free() { # port setting
  ! listening "$1" || die "another program listens on 127.0.0.1:$1; choose another PROFILESYNC_OPENSTACK_$2"
}

sql() { timeout 60 mariadb --no-defaults --socket="$DATABASE_SOCKET" --user=root --batch --skip-column-names; }

databases_sql() {
  local name
  for name in keystone senlin; do
    cat <<SQL
CREATE DATABASE IF NOT EXISTS $name DEFAULT CHARACTER SET utf8;
CREATE OR REPLACE USER $name@localhost IDENTIFIED BY '$PASSWORD_DATABASE';
GRANT ALL ON $name.* TO $name@localhost;
SQL
  done
}

as() { # user command...
  local user=$1
  shift
  (cd / && HOME=$STATE/home/$user timeout 120 setpriv --reuid "$user" --regid "$user" --init-groups "$@" 9>&-)
}

keystone_schema() {
  as keystone keystone-manage --config-file "$ETC/keystone/keystone.conf" db_sync &&
    OS_BOOTSTRAP_PASSWORD=$PASSWORD_ADMIN as keystone keystone-manage --config-file "$ETC/keystone/keystone.conf" bootstrap \
      --bootstrap-username admin --bootstrap-project-name admin --bootstrap-role-name admin --bootstrap-region-id RegionOne
}

senlin_schema() {
  as senlin senlin-manage --config-file "$ETC/senlin/senlin.conf" --log-file "$LOGS/senlin/senlin-manage.log" db_sync
}

identities_wanted() { sha256sum "$STATE/clouds.yaml" "$ETC/senlin/senlin.conf" "$PARTS/identities.py" | sha256sum | cut -c 1-16; }

identities() {
  PASSWORD_SENLIN=$PASSWORD_SENLIN timeout 120 /usr/bin/python3 "$PARTS/identities.py" "$STATE/clouds.yaml" "$SENLIN_URL"
}

# Rows of the tables "service" (the running daemons) and "credential" (the trusts of users) stay.
reset() {
  {
    echo 'SET FOREIGN_KEY_CHECKS=0; USE senlin;'
    sql <<'SQL'
SELECT CONCAT('DELETE FROM `', table_name, '`;') FROM information_schema.tables WHERE table_schema = 'senlin'
AND table_name NOT IN ('migrate_version', 'alembic_version', 'service', 'credential');
SQL
  } | sql
  say "Senlin is empty"
}

token() { # who
  local project=$1 password
  case $1 in
    admin) password=$PASSWORD_ADMIN ;;
    tenant-a) password=$PASSWORD_TENANT_A ;;
    tenant-b) password=$PASSWORD_TENANT_B ;;
    reader-a) password=$PASSWORD_READER_A project=tenant-a ;;
    *) die "nobody is called \"$1\"; there are admin, tenant-a, tenant-b and reader-a" ;;
  esac
  curl -fsS --max-time 20 -D - -o /dev/null -H 'Content-Type: application/json' -d @- "$KEYSTONE_URL/auth/tokens" <<JSON |
{"auth": {
  "identity": {"methods": ["password"],
    "password": {"user": {"name": "$1", "domain": {"id": "default"}, "password": "$password"}}},
  "scope": {"project": {"name": "$project", "domain": {"id": "default"}}}}}
JSON
    tr -d '\r' | sed -n 's/^x-subject-token: //Ip'
}

# The whole way: a token, the API, its token filter, the broker, the conductor and the database.
senlin_lists() {
  local token code
  token=$(token tenant-a 2>/dev/null) || return 1
  code=$(curl -sS --max-time 15 -o /dev/null -w '%{http_code}' -H @- "$SENLIN_URL/v1/profiles?limit=1" 2>/dev/null \
    <<<"X-Auth-Token: $token") || return 1
  [ "$code" = 200 ]
}

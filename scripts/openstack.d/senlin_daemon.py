"""Start one of Senlin's daemons as its packaged command does, with one hook of oslo.db switched off.

Senlin 14 leaves sessions to the garbage collector, so that SQLAlchemy 1.4 takes connections back into its pool from within a
collector's callback. Under eventlet such a callback must not yield to another green thread, but oslo.db's check-in hook does
(it sleeps for 0 s), and so does a driver written in Python. The connection is then lost: after some hundred requests each call
ends in "QueuePool limit of size 5 overflow 50 reached". Without the hook, and with the C driver that senlin.conf names, the
service is stable. Senlin's own code is as Debian ships it.
"""

import importlib
import sys

import senlin.cmd  # noqa: F401  it lets eventlet patch the standard library, and must be first
from oslo_db.sqlalchemy import engines

engines._thread_yield = lambda connection, record: None

daemon = sys.argv.pop(1)  # senlin-api lives in senlin.cmd.api
sys.argv[0] = "/usr/bin/" + daemon
module = importlib.import_module("senlin.cmd." + daemon.removeprefix("senlin-").replace("-", "_"))
sys.exit(module.main())

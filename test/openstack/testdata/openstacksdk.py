"""Walks through openstacksdk's profile calls on a cloud and prints what each gives: a line that begins with #, then JSON, a line each.

    OS_CLIENT_CONFIG_FILE=clouds.yaml /usr/bin/python3 openstacksdk.py CLOUD NAME

CLOUD is an entry of that file. Everything it makes is named NAME or begins with NAME-. It makes no judgement: who reads what it
prints does.
"""
import json
import sys

import openstack
from openstack import exceptions
from openstack import resource

SPEC = {
    "type": "os.nova.server",
    "version": 1.0,
    "properties": {"name": "srv", "flavor": "m1.small", "image": "cirros", "networks": [{"network": "private"}]},
}
FIELDS = ("id", "name", "type", "spec", "metadata", "project_id", "user_id", "domain_id", "created_at", "updated_at")


def main(cloud, name):
    """Tells the whole story."""
    plain = openstack.connect(cloud=cloud).clustering
    senlin = openstack.connect(cloud=cloud, clustering_default_microversion="1.14").clustering
    types(senlin)
    web = creating(senlin, name)
    finding(senlin, name, web)
    listing(senlin, name)
    name = updating(senlin, name, web)
    validating(plain, senlin)
    deleting(senlin, name, web)


def types(senlin):
    step("profile types", lambda: sorted(t.name for t in senlin.profile_types()))
    step("profile type", lambda: shape(senlin.get_profile_type("os.nova.server-1.0")))
    step("profile type that is missing", lambda: senlin.get_profile_type("os.nova.nope-1.0"))
    step("operations of a profile type", lambda: sorted(senlin.list_profile_type_operations("os.nova.server-1.0")["operations"]))


def creating(senlin, name):
    web = step("create", lambda: senlin.create_profile(name=name, spec=SPEC, metadata={"team": "web", "tiers": [1, 2.0, None]}))
    step("create with the key profile", lambda: senlin.create_profile(name=name, spec={"profile": "os.nova.server", "version": 1.0}))
    step("create without a flavor", lambda: senlin.create_profile(name=name, spec=dict(SPEC, properties={"networks": []})))
    step("create of a missing type", lambda: senlin.create_profile(name=name, spec=dict(SPEC, type="os.nova.nope")))
    step("create with an illegal name", lambda: senlin.create_profile(name=name + " x", spec=SPEC))
    return web


def finding(senlin, name, web):
    step("get by id", lambda: senlin.get_profile(web.id))
    step("get by name", lambda: senlin.get_profile(name))
    step("get a missing one", lambda: senlin.get_profile(name + "-missing"))
    step("find by id", lambda: senlin.find_profile(web.id))
    step("find by name", lambda: senlin.find_profile(name))
    step("find by the start of an id", lambda: senlin.find_profile(web.id[:13]))
    step("find a missing one", lambda: senlin.find_profile(name + "-missing"))
    step("find a missing one that must be there", lambda: senlin.find_profile(name + "-missing", ignore_missing=False))
    twin = step("create of a name that is taken", lambda: senlin.create_profile(name=name, spec=SPEC))
    step("get by a name of two", lambda: senlin.get_profile(name))
    step("find by a name of two", lambda: senlin.find_profile(name))
    step("delete by a name of two", lambda: senlin.delete_profile(name))
    step("delete the second", lambda: senlin.delete_profile(twin))


def listing(senlin, name):
    others = [step("create " + n, lambda n=n: senlin.create_profile(name=name + "-" + n, spec=SPEC)) for n in ("b", "a")]
    ours = {name, name + "-a", name + "-b"}
    step("list by a name", lambda: list(senlin.profiles(name=name)))
    step("list by a name and a type", lambda: list(senlin.profiles(name=name, type="os.heat.stack-1.0")))
    step("list sorted", lambda: [p.name for p in senlin.profiles(sort="name:desc") if p.name in ours])
    step("list in pages of one", lambda: [p.name for p in senlin.profiles(sort="name", limit=1) if p.name in ours])
    step("list by what is no filter", lambda: list(senlin.profiles(nosuch=1)))
    step("list by a key that does not sort", lambda: list(senlin.profiles(sort="id")))
    step("list of every project", lambda: list(senlin.profiles(global_project=True)))
    for other in others:
        step("delete " + other.name, lambda other=other: senlin.delete_profile(other))


def updating(senlin, name, web):
    step("update the name", lambda: senlin.update_profile(web, name=name + "-new"))
    name += "-new"
    step("update the name of what has it", lambda: senlin.update_profile(senlin.get_profile(web.id), name=name))
    step("update the name of what has it, by id", lambda: senlin.update_profile(web.id, name=name))
    step("update the metadata", lambda: senlin.update_profile(web.id, metadata={"new": "x"}))
    step("clear the metadata", lambda: senlin.update_profile(web.id, metadata={}))
    step("update the spec", lambda: senlin.update_profile(web.id, spec=dict(SPEC, version="1.0")))
    step("update a missing one", lambda: senlin.update_profile("00000000-0000-0000-0000-000000000000", name=name))
    step("get what was updated", lambda: senlin.get_profile(name))
    return name


def validating(plain, senlin):
    step("validate", lambda: senlin.validate_profile(spec=SPEC))
    step("validate without a flavor", lambda: senlin.validate_profile(spec=dict(SPEC, properties={"networks": []})))
    step("validate in the first microversion", lambda: plain.validate_profile(spec=SPEC))


def deleting(senlin, name, web):
    cluster = step("create a cluster", lambda: senlin.create_cluster(name=name, profile_id=web.id, desired_capacity=1), cluster_of)
    step("the cluster is there", lambda: cluster_of(senlin.wait_for_status(cluster, "ACTIVE", interval=0.1, wait=30)))
    step("nodes", lambda: [(n.profile_id, n.profile_name, n.status) for n in senlin.nodes(cluster_id=cluster.id)])
    step("delete what a cluster uses", lambda: senlin.delete_profile(web))
    step("actions", lambda: sorted({(a.action, a.status) for a in senlin.actions(target_id=cluster.id)}))
    step("delete the cluster", lambda: senlin.delete_cluster(cluster), lambda answer: type(answer).__name__)
    step("the cluster is gone", lambda: cluster_of(senlin.wait_for_delete(cluster, interval=0.1, wait=30)))
    step("delete", lambda: senlin.delete_profile(web))
    step("delete what is gone", lambda: senlin.delete_profile(web.id))
    step("delete what must be there", lambda: senlin.delete_profile(web.id, ignore_missing=False))


def cluster_of(cluster):
    return {field: getattr(cluster, field) for field in ("id", "name", "profile_id", "profile_name")}


def shape(profile_type):
    schema = {key: [value["type"], value.get("required"), value.get("updatable")] for key, value in profile_type.schema.items()}
    return {"name": profile_type.name, "support_status": profile_type.support_status, "schema": schema}


def step(title, call, show=lambda given: given):
    """Prints what a call gives or raises, and returns what it gives."""
    try:
        given = call()
        shown = show(given)
    except exceptions.SDKException as error:
        given, shown = None, {"raised": type(error).__name__, "status": getattr(error, "status_code", None), "text": str(error)}
    print("#", title)
    for one in shown if isinstance(shown, list) else [shown]:
        print(json.dumps(told(one), sort_keys=True))
    sys.stdout.flush()
    return given


def told(thing):
    """Says what a profile holds. The location is openstacksdk's own account of how it was reached."""
    if isinstance(thing, resource.Resource):
        return {field: getattr(thing, field) for field in FIELDS}
    return thing


if __name__ == "__main__":
    main(*sys.argv[1:])

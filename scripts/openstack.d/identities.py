"""Bring Keystone's projects, users, roles and catalog to what clouds.yaml says: identities.py CLOUDS_YAML SENLIN_URL.

Everything is looked up first, so that a second run, or one after a change of ports or passwords, mends what differs.
"""

import os
import sys

import openstack
import yaml

REGION, DOMAIN = "RegionOne", "default"
MEMBERS = {"tenant-a": "member", "tenant-b": "member", "reader-a": "reader"}


def main(clouds_file, senlin_url):
    with open(clouds_file) as file:
        auth = {name: entry["auth"] for name, entry in yaml.safe_load(file)["clouds"].items()}
    keystone_url = auth["admin"]["auth_url"]
    # Keystone's own entry in the catalog may be missing still, or of an older port.
    identity = openstack.connect(
        load_yaml_config=False, load_envvars=False, region_name=REGION, auth=auth["admin"],
        identity_endpoint_override=keystone_url).identity

    for name, role in MEMBERS.items():
        member(identity, name, auth[name]["password"], auth[name]["project_name"], [role])
    member(identity, "senlin", os.environ["PASSWORD_SENLIN"], "service", ["admin", "service"])
    service(identity, "keystone", "identity", keystone_url)
    service(identity, "senlin", "clustering", senlin_url)


def member(identity, name, password, project_name, roles):
    project = identity.find_project(project_name, domain_id=DOMAIN) or identity.create_project(
        name=project_name, domain_id=DOMAIN)
    user = identity.find_user(name, domain_id=DOMAIN) or identity.create_user(
        name=name, domain_id=DOMAIN, password=password)
    for role_name in roles:
        role = identity.find_role(role_name) or identity.create_role(name=role_name)
        identity.assign_project_role_to_user(project, user, role)


def service(identity, name, kind, url):
    entry = next(identity.services(type=kind), None) or identity.create_service(name=name, type=kind)
    endpoints = {endpoint.interface: endpoint for endpoint in identity.endpoints(service_id=entry.id)}
    for interface in ("public", "internal", "admin"):
        endpoint = endpoints.get(interface)
        if endpoint is None:
            identity.create_endpoint(service_id=entry.id, interface=interface, url=url, region_id=REGION)
        elif endpoint.url != url:
            identity.update_endpoint(endpoint, url=url)


main(*sys.argv[1:])

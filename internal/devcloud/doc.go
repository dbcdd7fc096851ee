// Package devcloud is a small OpenStack in one process: a Senlin-compatible Clustering API and the Keystone that its
// clients log in to, on one bbolt file. It is the cloud of a first run, where no other is at hand, and the double
// against which everything else is tested. It owns both sides of that wire and its own state.
//
// What it shows a client is what a running Senlin 14 was seen to show, and it is no kinder: the conformance suite
// beside it runs against both. What it does not have are servers: every flavor, image and network exists, and nodes
// become ACTIVE because an action said so.
//
//	Cloud ── Handler ─┬─ /identity ── identity     users, projects, tokens, catalog
//	  │     Transport │
//	  │               └─ /, /v1 ───── clustering   profiles, clusters, nodes, actions
//	  │                                   │   └─── profiletype   schemas, what a spec may say
//	  └───────────────────────────────── store     rows and their indexes in one file
//
// It never imports the rooms on the other side of the wire: it is what they are wrong or right about.
package devcloud

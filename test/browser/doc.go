// Package browser looks at the status page with a real Chromium, driven by
// check.mjs. Its tests are built with the tag browser only, and need the modules
// of package-lock.json:
//
//	(cd test/browser && npm ci) && go test -tags browser ./test/browser -screenshots DIR
//
// scripts/test-browser does both. The page is that of a daemon that is only told
// of, so that everything there is to show is there at once.
package browser

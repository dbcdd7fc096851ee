package wire

// Passes are passes, the newest first: GET /api/v1/passes.
type Passes struct {
	FormatVersion int    `json:"format_version"`
	Passes        []Pass `json:"passes"`
	// Before asks for the passes that follow these, as ?before=; null after the last.
	Before *uint64 `json:"before"`
}

// Pass is one pass.
type Pass struct {
	ID          uint64    `json:"id"`
	Target      string    `json:"target"`
	Instance    string    `json:"instance"`
	Trigger     string    `json:"trigger"`
	By          string    `json:"by"`
	Began       *Time     `json:"began"`
	TookSeconds float64   `json:"took_seconds"`
	Revision    *Revision `json:"revision"`
	Outcome     string    `json:"outcome"`
	Error       string    `json:"error"`
	Hint        string    `json:"hint"`
	Counts      Counts    `json:"counts"`
	Changes     []Change  `json:"changes"`
	Omitted     int       `json:"omitted"`
}

// Counts are the changes of a pass by what became of them.
type Counts struct {
	Created    int `json:"created"`
	Updated    int `json:"updated"`
	Recreated  int `json:"recreated"`
	Deleted    int `json:"deleted"`
	InSync     int `json:"in_sync"`
	Pending    int `json:"pending"`
	Failed     int `json:"failed"`
	Blocked    int `json:"blocked"`
	Superseded int `json:"superseded"`
}

// Change is one change of a pass.
type Change struct {
	Action string `json:"action"`
	Name   string `json:"name"`
	ID     string `json:"id"`
	Reason string `json:"reason"`
	Block  string `json:"block"`
	Status string `json:"status"`
	Error  string `json:"error"`
}

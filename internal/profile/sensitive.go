package profile

// Redacted stands wherever a secret would.
const Redacted = "(sensitive)"

// sensitiveProperties are the spec properties that hold secrets as a whole:
// admin_pass, user_data and personality of os.nova.server; parameters, files
// and environment of os.heat.stack. They are secret in a spec of any type: an
// operator's own profile type may reuse the names.
var sensitiveProperties = map[string]bool{
	"admin_pass":  true,
	"user_data":   true,
	"personality": true,
	"parameters":  true,
	"files":       true,
	"environment": true,
}

// sensitiveKeys are secret at any depth of a spec. The properties.context map
// accepts every argument of Senlin's request context, a token among them.
var sensitiveKeys = map[string]bool{
	"admin_pass":      true,
	"auth_token":      true,
	"auth_token_info": true,
	"password":        true,
}

// Sensitive reports whether the value at this path of a spec's properties is a
// secret. The path's first element is the property's name.
func Sensitive(path ...string) bool {
	for depth, key := range path {
		if sensitiveKeys[key] || depth == 0 && sensitiveProperties[key] {
			return true
		}
	}
	return false
}

// RedactValue copies a JSON value found inside a property, with every secret in
// it replaced by [Redacted].
func RedactValue(value any) any { return redactValue("", value, sensitiveKeys) }

func redactValue(key string, value any, secret map[string]bool) any {
	if secret[key] || sensitiveKeys[key] {
		return Redacted
	}
	switch value := value.(type) {
	case map[string]any:
		redacted := make(map[string]any, len(value))
		for key, item := range value {
			redacted[key] = redactValue(key, item, sensitiveKeys)
		}
		return redacted
	case []any:
		redacted := make([]any, len(value))
		for i, item := range value {
			redacted[i] = redactValue("", item, sensitiveKeys)
		}
		return redacted
	}
	return value
}

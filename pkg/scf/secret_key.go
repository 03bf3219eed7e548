package scf

import "strings"

// isSecret says whether a key's name says that its value must not be seen.
func isSecret(key string) bool {
	key = strings.ToUpper(strings.NewReplacer("_", "", "-", "").Replace(key))
	for _, end := range []string{"PASSWORD", "PASSWD", "SECRET", "SECRETKEY", "TOKEN", "APIKEY", "ACCESSKEY", "PRIVATEKEY", "CREDENTIALS"} {
		if strings.HasSuffix(key, end) {
			return true
		}
	}
	return false
}

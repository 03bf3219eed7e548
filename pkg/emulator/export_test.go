package emulator

// Defaults is the configuration that a zero Config stands for.
func Defaults() Config { return Config{}.withDefaults() }

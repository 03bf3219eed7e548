package api

// actions are all that the API does, by the name that a request gives in
// X-TC-Action. Each is described by the page of its name in the manual of SCF.
func actions() map[string]action {
	return map[string]action{
		"CreateFunction":              handle((*Server).createFunction),
		"UpdateFunctionCode":          handle((*Server).updateFunctionCode),
		"UpdateFunctionConfiguration": handle((*Server).updateFunctionConfiguration),
		"GetFunction":                 handle((*Server).getFunction),
		"ListFunctions":               handle((*Server).listFunctions),
		"DeleteFunction":              handle((*Server).deleteFunction),
		"GetFunctionAddress":          handle((*Server).getFunctionAddress),

		"PublishVersion":        handle((*Server).publishVersion),
		"ListVersionByFunction": handle((*Server).listVersionByFunction),

		"CreateAlias": handle((*Server).createAlias),
		"UpdateAlias": handle((*Server).updateAlias),
		"GetAlias":    handle((*Server).getAlias),
		"ListAliases": handle((*Server).listAliases),
		"DeleteAlias": handle((*Server).deleteAlias),

		"CreateTrigger":       handle((*Server).createTrigger),
		"UpdateTrigger":       handle((*Server).updateTrigger),
		"DeleteTrigger":       handle((*Server).deleteTrigger),
		"ListTriggers":        handle((*Server).listTriggers),
		"UpdateTriggerStatus": handle((*Server).updateTriggerStatus),

		"Invoke":          handle((*Server).invoke),
		"InvokeFunction":  handle((*Server).invokeFunction),
		"GetFunctionLogs": handle((*Server).getFunctionLogs),
	}
}

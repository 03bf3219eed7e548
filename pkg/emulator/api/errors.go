package api

import "fmt"

// Error is an answer that says why nothing was done, with a code of the service.
type Error struct{ Code, Message string }

// Error gives the code and the message.
func (e *Error) Error() string { return e.Code + ": " + e.Message }

func refuse(code, format string, args ...any) *Error {
	return &Error{Code: code, Message: fmt.Sprintf(format, args...)}
}

func missing(parameter string) *Error {
	return refuse("MissingParameter", "The request is missing a required parameter `%s`.", parameter)
}

// badState refuses what a function in this state cannot do.
func badState(code string, s Status) *Error {
	return refuse(code,
		"The function is in the state %s, in which this cannot be done. Try again once GetFunction says Active.", s)
}

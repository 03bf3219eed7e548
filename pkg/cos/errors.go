package cos

import (
	"encoding/xml"
	"errors"
	"fmt"
	"net/http"
	"strings"

	sdk "github.com/tencentyun/cos-go-sdk-v5"
)

// What went wrong, to be asked with errors.Is. Every error of a Bucket that
// comes from the service is an *Error around one of these.
var (
	// ErrNotFound is an object that does not exist.
	ErrNotFound = errors.New("the object does not exist")
	// ErrExists is an object that was to be created and is there already: another
	// writer was first.
	ErrExists = errors.New("the object exists already")
	// ErrNoBucket is a bucket that does not exist in the region.
	ErrNoBucket = errors.New("the bucket does not exist")
	// ErrAccess is a request that the credentials do not allow, or a wrong key.
	ErrAccess = errors.New("access denied")
	// ErrExpired are credentials, or a signature, whose time is over.
	ErrExpired = errors.New("the credentials have expired")
	// ErrCorrupt is content that is not what its checksum or its length says.
	ErrCorrupt = errors.New("the content does not fit its checksum")
	// ErrChanged is an object that was replaced while it was read.
	ErrChanged = errors.New("the object was replaced while it was read")
	// ErrRange is a range that begins behind the end of the object.
	ErrRange = errors.New("the range begins behind the end of the object")
	// ErrInvalid is an argument that the service would not take.
	ErrInvalid = errors.New("invalid argument")
	// ErrUnavailable is a service that did not answer, or with an error of its own,
	// after all repeats.
	ErrUnavailable = errors.New("the object store does not answer as it should")
	// ErrAnswer is an answer that makes no sense.
	ErrAnswer = errors.New("the answer of the object store makes no sense")
)

// Error is a call that failed.
type Error struct {
	// Op is the call: "put", "get", "head", "list", "copy", "delete", "presign".
	Op string
	// Bucket is the bucket's full name.
	Bucket string
	// Key is the object's key; the prefix of a listing.
	Key string
	// Status is the HTTP status, 0 without an answer.
	Status int
	// Code is the code of the service, like "NoSuchKey"; "" without one.
	Code string
	// Message is what the service says.
	Message string
	// RequestID is by which the service's support finds the request.
	RequestID string
	// Kind is one of the errors above.
	Kind error
	// Cause is what was below: a torn connection, the context's end. It may be nil.
	Cause error
}

// Error names the call, the object, what went wrong and what can be done.
func (e *Error) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "cos %s %s/%s: %v", e.Op, e.Bucket, e.Key, e.Kind)
	if e.Cause != nil && !errors.Is(e.Kind, e.Cause) {
		fmt.Fprintf(&b, ": %v", e.Cause)
	}
	if e.Status != 0 || e.Code != "" {
		fmt.Fprintf(&b, " (%d", e.Status)
		for _, text := range []string{e.Code, e.Message} {
			if text != "" {
				fmt.Fprintf(&b, " %.200s", text)
			}
		}
		if e.RequestID != "" {
			fmt.Fprintf(&b, ", request id %.100s", e.RequestID)
		}
		b.WriteByte(')')
	}
	if advice := e.advice(); advice != "" {
		fmt.Fprintf(&b, "; %s", advice)
	}
	return b.String()
}

// Unwrap gives Kind and Cause.
func (e *Error) Unwrap() []error {
	if e.Cause == nil {
		return []error{e.Kind}
	}
	return []error{e.Kind, e.Cause}
}

func (e *Error) advice() string {
	switch {
	case errors.Is(e.Kind, ErrNoBucket):
		return "create it, or check the bucket's name with its APPID, and the region"
	case errors.Is(e.Kind, ErrAccess):
		if e.Code == "RequestTimeTooSkewed" {
			return "set this machine's clock"
		}
		return "check SecretId and SecretKey, and that their policy allows this in the bucket"
	case errors.Is(e.Kind, ErrExpired):
		return "get new credentials, and check this machine's clock"
	case errors.Is(e.Kind, ErrCorrupt):
		return "read or write it again; where it stays, restore the object from another copy"
	case errors.Is(e.Kind, ErrChanged):
		return "read it again from its beginning"
	case errors.Is(e.Kind, ErrUnavailable):
		return "it was repeated without success: try again later, and check the network and the endpoint"
	}
	return ""
}

// failure makes an Error of what the SDK returned.
func (b *Bucket) failure(op, key string, answer *sdk.Response, err error) *Error {
	var known *Error
	if errors.As(err, &known) {
		return known
	}
	e := &Error{Op: op, Bucket: b.config.Bucket, Key: key, Cause: err}
	var many *sdk.RetryError
	if errors.As(err, &many) && len(many.Errs) > 0 { // it has no Unwrap
		e.Cause = many.Errs[len(many.Errs)-1]
	}
	if answer != nil && answer.Response != nil {
		e.Status, e.RequestID = answer.StatusCode, answer.Header.Get("X-Cos-Request-Id")
	}
	var refused *sdk.ErrorResponse
	if errors.As(e.Cause, &refused) {
		e.Code, e.Message, e.Cause = refused.Code, refused.Message, nil
		if e.RequestID == "" {
			e.RequestID = refused.RequestID
		}
		e.Kind = kindOf(e.Status, e.Code, e.Message)
		return e
	}
	var lacking *credentialsError
	var syntax *xml.SyntaxError
	var shape xml.UnmarshalError
	switch {
	case errors.As(e.Cause, &lacking):
		e.Kind, e.Cause = ErrAccess, lacking.err
		if errors.Is(e.Cause, ErrExpired) {
			e.Kind = ErrExpired
		}
	case isOneOf(e.Cause, ErrCorrupt, ErrChanged, ErrRange, ErrInvalid, ErrAnswer, ErrExists):
		e.Kind = e.Cause
		e.Cause = nil
	case errors.As(e.Cause, &syntax), errors.As(e.Cause, &shape):
		e.Kind = ErrAnswer
	default:
		e.Kind = ErrUnavailable
	}
	return e
}

func isOneOf(err error, kinds ...error) bool {
	for _, kind := range kinds {
		if errors.Is(err, kind) {
			return true
		}
	}
	return false
}

// kindOf sorts the codes of the service (COS, "Error Codes").
func kindOf(status int, code, message string) error {
	switch code {
	case "NoSuchBucket":
		return ErrNoBucket
	case "NoSuchKey", "NoSuchUpload":
		return ErrNotFound
	case "FileAlreadyExists", "ObjectAlreadyExists":
		return ErrExists
	case "ExpiredToken", "RequestIsExpired":
		return ErrExpired
	case "AccessDenied":
		if strings.Contains(message, "expired") {
			return ErrExpired
		}
		return ErrAccess
	case "BadDigest", "XCosContentSHA1Mismatch":
		return ErrCorrupt
	case "PreconditionFailed":
		return ErrChanged
	case "InvalidRange":
		return ErrRange
	}
	switch {
	case status == http.StatusNotFound:
		return ErrNotFound
	case status == http.StatusUnauthorized, status == http.StatusForbidden:
		return ErrAccess
	case status == http.StatusPreconditionFailed:
		return ErrChanged
	case status == http.StatusRequestedRangeNotSatisfiable:
		return ErrRange
	case status >= 500, status == http.StatusTooManyRequests:
		return ErrUnavailable
	case status >= 300 && status < 400:
		return ErrAnswer
	}
	return ErrInvalid
}

// again tells whether the same request may succeed.
func (e *Error) again() bool {
	switch e.Code { // what a torn upload and a busy service look like
	case "IncompleteBody", "RequestTimeout", "SlowDown", "BadDigest", "OperationAborted":
		return true
	}
	var passing *passingError
	return errors.Is(e.Kind, ErrUnavailable) || errors.As(e.Kind, &passing)
}

// passingError is worth a repeat though the service answered.
type passingError struct{ error }

func (e *passingError) Unwrap() error { return e.error }

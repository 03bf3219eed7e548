package localcos

import (
	"encoding/xml"
	"errors"
	"fmt"
	"net/http"
	"syscall"
)

// apiError is an answer of the service: status, code and words of its list of
// error codes, where it has them (COS, "Error Codes").
type apiError struct {
	status  int
	code    string
	message string
}

func (e *apiError) Error() string { return fmt.Sprintf("%d %s: %s", e.status, e.code, e.message) }

func refuse(status int, code, format string, arguments ...any) error {
	return &apiError{status, code, fmt.Sprintf(format, arguments...)}
}

// The answers that more than one operation gives.
var (
	errAccessDenied = &apiError{http.StatusForbidden, "AccessDenied", "Access Denied."}
	errNoSuchBucket = &apiError{http.StatusNotFound, "NoSuchBucket", "The specified bucket does not exist."}
	errNoSuchKey    = &apiError{http.StatusNotFound, "NoSuchKey", "The specified key does not exist."}
	errNoSuchUpload = &apiError{http.StatusNotFound, "NoSuchUpload",
		"The specified multipart upload does not exist. The upload ID might be invalid, or the " +
			"multipart upload might have been aborted or completed."}
	errBucketExists = &apiError{http.StatusConflict, "BucketAlreadyOwnedByYou",
		"The bucket you tried to create already exists, and you own it."}
	errFileExists = &apiError{http.StatusConflict, "FileAlreadyExists",
		"The object you want to put already exists."}
	errPrecondition = &apiError{http.StatusPreconditionFailed, "PreconditionFailed",
		"At least one of the pre-conditions you specified did not hold."}
	errMalformedXML = &apiError{http.StatusBadRequest, "MalformedXML",
		"The XML you provided was not well-formed or did not validate against our published schema."}
	errIncompleteBody = &apiError{http.StatusBadRequest, "IncompleteBody",
		"You did not provide the number of bytes specified by the Content-Length HTTP header."}
	errNotImplemented = &apiError{http.StatusNotImplemented, "NotImplemented",
		"A header or query you provided implies functionality that is not implemented."}
	errMethodNotAllowed = &apiError{http.StatusMethodNotAllowed, "MethodNotAllowed",
		"The specified method is not allowed against this resource."}
	errNotModified = &apiError{http.StatusNotModified, "NotModified", "Not Modified"}
)

func invalidArgument(format string, arguments ...any) error {
	return refuse(http.StatusBadRequest, "InvalidArgument", format, arguments...)
}

// fail answers with an error, in XML where the answer may have a body.
func (c *call) fail(err error) {
	var known *apiError
	switch {
	case errors.As(err, &known):
	case errors.Is(err, errTorn):
		panic(http.ErrAbortHandler)
	case errors.Is(err, errDiskFull), errors.Is(err, syscall.ENOSPC):
		known = &apiError{http.StatusInternalServerError, "InternalError",
			"There is no space left on the disk of the server."}
	default:
		c.s.config.Log.Error("a request failed", "method", c.r.Method, "bucket", c.bucketName, "key", c.key, "error", err)
		known = &apiError{http.StatusInternalServerError, "InternalError",
			"We encountered an internal error. Please try again."}
	}
	if known.status == http.StatusNotModified || c.r.Method == http.MethodHead {
		c.w.WriteHeader(known.status)
		return
	}
	c.xml(known.status, struct {
		XMLName   xml.Name `xml:"Error"`
		Code      string
		Message   string
		Resource  string
		RequestID string `xml:"RequestId"`
		TraceID   string `xml:"TraceId"`
	}{Code: known.code, Message: known.message, Resource: c.r.Host + c.r.URL.Path, RequestID: c.id, TraceID: c.id})
}

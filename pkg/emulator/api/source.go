package api

import (
	"context"
	"encoding/base64"
	"errors"
	"io/fs"
	"strings"
)

// source is where the code of a function comes from.
type source struct {
	ZipFile         *string
	CosBucketName   *string
	CosObjectName   *string
	CosBucketRegion *string
}

// sourceCode is the parameter Code. What is not a zip or an object is not
// supported here, and so not known.
type sourceCode struct{ source }

// given reports whether there is any.
func (s source) given() bool {
	return s.ZipFile != nil || s.CosBucketName != nil || s.CosObjectName != nil
}

// fetch keeps the code. release is to be called once a state names it.
func (s source) fetch(ctx context.Context, server *Server) (code, func(), error) {
	inline, object := s.ZipFile != nil, s.CosBucketName != nil || s.CosObjectName != nil
	switch {
	case !inline && !object:
		return code{}, nil, refuse("MissingParameter.Code",
			"The code is missing: give ZipFile, or CosBucketName and CosObjectName.")
	case inline && object:
		return code{}, nil, refuse("InvalidParameterValue.Code", "Give ZipFile or an object of COS, not both.")
	case inline:
		zip, err := base64.StdEncoding.DecodeString(*s.ZipFile)
		if err != nil {
			return code{}, nil, refuse("InvalidParameterValue.ZipFileBase64BinasciiError",
				"ZipFile is not the base64 of a zip.")
		}
		return zipError(server.codes.putBytes(zip))
	}
	return s.fetchObject(ctx, server)
}

func (s source) fetchObject(ctx context.Context, server *Server) (code, func(), error) {
	bucket, object := orText(s.CosBucketName, ""), orText(s.CosObjectName, "")
	switch {
	case bucket == "" || strings.ContainsAny(bucket, "/\\"):
		return code{}, nil, refuse("InvalidParameterValue.CosBucketName",
			"CosBucketName is %q, want the name of a bucket without the appid.", bucket)
	case len(object) < 2 || object[0] != '/':
		return code{}, nil, refuse("InvalidParameterValue.CosObjectName",
			"CosObjectName is %q, want a key with / in front.", object)
	case server.config.Object == nil:
		return code{}, nil, refuse("ResourceNotFound.Cos", "The local platform has no COS: give ZipFile.")
	}
	body, err := server.config.Object(ctx, bucket, object[1:])
	if errors.Is(err, fs.ErrNotExist) {
		return code{}, nil, refuse("ResourceNotFound.CosObject",
			"The object %s of the bucket %s does not exist.", object, bucket)
	}
	if err != nil {
		return code{}, nil, refuse("InternalError.Cos",
			"The object %s of the bucket %s cannot be read: %v.", object, bucket, err)
	}
	defer body.Close()
	return zipError(server.codes.put(body))
}

// zipError makes an answer of what is wrong with a zip.
func zipError(c code, release func(), err error) (code, func(), error) {
	if errors.Is(err, errZip) {
		return c, release, refuse("InvalidParameterValue.ZipFile", "%v.", err)
	}
	return c, release, err
}

package localcos

import (
	"encoding/xml"
	"net/http"
)

// deleteObject is DELETE Object: also of one that is not there.
func (c *call) deleteObject() error {
	if err := c.remove(c.key); err != nil {
		return err
	}
	return c.noContent()
}

func (c *call) remove(key string) error {
	o, err := c.bucket.remove(key, nil)
	if err == nil && o != nil {
		c.s.notify(c, removedDelete, key, o)
	}
	return err
}

// maxDelete is the most keys of one request (COS, "DELETE Multiple Objects").
const maxDelete = 1000

// deleteObjects is DELETE Multiple Objects.
func (c *call) deleteObjects() error {
	var request struct {
		XMLName xml.Name `xml:"Delete"`
		Quiet   bool
		Object  []struct{ Key string }
	}
	if _, err := c.readXML(&request); err != nil {
		return err
	}
	if len(request.Object) == 0 || len(request.Object) > maxDelete {
		return errMalformedXML
	}
	type deleted struct{ Key string }
	type failed struct{ Key, Code, Message string }
	var answer struct {
		XMLName xml.Name  `xml:"DeleteResult"`
		Deleted []deleted `xml:"Deleted"`
		Error   []failed  `xml:"Error"`
	}
	for _, o := range request.Object {
		if err := c.remove(o.Key); err != nil {
			c.s.config.Log.Error("an object cannot be removed", "bucket", c.bucketName, "key", o.Key, "error", err)
			answer.Error = append(answer.Error, failed{o.Key, "InternalError",
				"We encountered an internal error. Please try again."})
		} else if !request.Quiet {
			answer.Deleted = append(answer.Deleted, deleted{o.Key})
		}
	}
	c.xml(http.StatusOK, answer)
	return nil
}

package localcos

import (
	"encoding/xml"
	"net/http"
	"unicode/utf8"
)

type tag struct {
	Key   string `json:"key"`
	Value string `json:"value"`
}

type tagging struct {
	XMLName xml.Name `xml:"Tagging"`
	Tags    []tag    `xml:"TagSet>Tag"`
}

var errInvalidTag = &apiError{http.StatusBadRequest, "InvalidTag",
	"The tag provided was not a valid tag: at most 10, keys of 1 to 127 characters, each once, values up to 255."}

// checkTags keeps to COS, "Object Tag Overview".
func checkTags(tags []tag) error {
	seen := map[string]bool{}
	for _, t := range tags {
		if t.Key == "" || utf8.RuneCountInString(t.Key) > 127 || utf8.RuneCountInString(t.Value) > 255 || seen[t.Key] {
			return errInvalidTag
		}
		seen[t.Key] = true
	}
	if len(tags) > 10 {
		return errInvalidTag
	}
	return nil
}

func (c *call) putTags() error {
	var request tagging
	if _, err := c.readXML(&request); err != nil {
		return err
	}
	if err := checkTags(request.Tags); err != nil {
		return err
	}
	if err := c.setTags(request.Tags); err != nil {
		return err
	}
	c.w.WriteHeader(http.StatusOK)
	return nil
}

func (c *call) deleteTags() error {
	if err := c.setTags(nil); err != nil {
		return err
	}
	return c.noContent()
}

// setTags publishes the object again, with other tags.
func (c *call) setTags(tags []tag) error {
	for {
		o, done, err := c.bucket.acquire(c.key)
		if err != nil {
			return err
		}
		tagged := *o
		tagged.Tags = tags
		lost := false
		err = c.bucket.publish(c.key, &tagged, func(old *object) error {
			if lost = old != o; lost {
				return errPrecondition
			}
			return nil
		})
		done()
		if !lost {
			return err
		}
	}
}

func (c *call) getTags() error {
	o, err := c.bucket.find(c.key)
	if err != nil {
		return err
	}
	c.xml(http.StatusOK, tagging{Tags: o.Tags})
	return nil
}

package config

import (
	"errors"
	"fmt"
	"strings"

	"hailo-depth/strictyaml"
)

// Error is a setting that cannot be used: its source and what is wrong with it.
type Error = strictyaml.Error

// check collects what is wrong with a configuration.
type check struct {
	source string
	errs   []error
}

func (c *check) that(ok bool, key string, value any, want string) {
	if !ok {
		c.errs = append(c.errs, &Error{Source: c.source, Message: fmt.Sprintf("%s: %v is not valid; expected %s", key, value, want)})
	}
}

func (c *check) oneOf(key, value string, allowed ...string) {
	for _, a := range allowed {
		if value == a {
			return
		}
	}
	c.that(false, key, fmt.Sprintf("%q", value), "one of "+strings.Join(allowed, ", "))
}

func (c *check) err() error { return errors.Join(c.errs...) }

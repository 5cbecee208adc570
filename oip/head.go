package oip

import (
	"errors"
	"maps"
	"slices"
	"strconv"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

func asSemantic(err error) (*json.SemanticError, bool) {
	return errors.AsType[*json.SemanticError](err)
}

// head writes a JSON head member by member.
type head struct {
	dst []byte
	any bool // a member was written
	err error
}

func (h *head) open() { h.dst, h.any = append(h.dst, '{'), false }

func (h *head) close() { h.dst, h.any = append(h.dst, '}'), true }

func (h *head) key(name string) {
	if h.any {
		h.dst = append(h.dst, ',')
	}
	h.any = true
	h.quote(name)
	h.dst = append(h.dst, ':')
}

func (h *head) quote(s string) {
	quoted, err := jsontext.AppendQuote(h.dst, s)
	if err != nil {
		h.err = errors.Join(h.err, errorf("the text %q is not UTF-8", clip(s)))
		return
	}
	h.dst = quoted
}

// text writes a member unless it is empty.
func (h *head) text(name, value string) {
	if value != "" {
		h.key(name)
		h.quote(value)
	}
}

// parameters writes a member of p and more, unless there are none.
func (h *head) parameters(p Parameters, more ...parameter) {
	if len(p)+len(more) == 0 {
		return
	}
	h.key("parameters")
	h.open()
	for _, name := range slices.Sorted(maps.Keys(p)) {
		h.key(name)
		if !p[name].IsValid(jsontext.AllowDuplicateNames(true)) {
			h.err = errors.Join(h.err, errorf("parameter %s is no JSON", name))
		}
		h.dst = append(h.dst, p[name]...)
	}
	for _, m := range more {
		h.key(m.name)
		h.dst = append(h.dst, m.value...)
	}
	h.close()
}

// parameter is one whose value is JSON already.
type parameter struct{ name, value string }

// tensor writes a tensor, with its elements unless they follow the head.
func (h *head) tensor(t Tensor, binary bool) {
	h.err = errors.Join(h.err, t.Check())
	h.open()
	h.key("name")
	h.quote(t.Name)
	h.key("shape")
	h.dst = append(h.dst, t.Shape.String()...)
	h.key("datatype")
	h.quote(string(t.Datatype))
	if binary {
		h.parameters(t.Parameters, parameter{"binary_data_size", strconv.Itoa(len(t.Data))})
	} else {
		h.parameters(t.Parameters)
		h.key("data")
		dst, err := appendValues(h.dst, t)
		if h.err = errors.Join(h.err, err); err == nil {
			h.dst = dst
		}
	}
	h.close()
}

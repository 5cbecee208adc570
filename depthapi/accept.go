package depthapi

import (
	"mime"
	"strconv"
	"strings"
)

// The forms of an estimate's answer.
const (
	typeJSON = "application/json"
	typePNG  = "image/png"
	typeNPZ  = "application/x-npz"
)

// accepted picks the answer's form from an Accept header (RFC 9110, section
// 12.5.1): JSON unless the client prefers the picture or the array itself. What
// it names beside these, and wildcards, do not count: they always got JSON.
func accepted(header string) string {
	best, bestQuality := typeJSON, 0.0
	for entry := range strings.SplitSeq(header, ",") {
		kind, parameters, err := mime.ParseMediaType(strings.TrimSpace(entry))
		if err != nil {
			continue
		}
		quality := 1.0
		if q, ok := parameters["q"]; ok {
			if quality, err = strconv.ParseFloat(q, 64); err != nil {
				continue
			}
		}
		if (kind == typeJSON || kind == typePNG || kind == typeNPZ) && quality > bestQuality {
			best, bestQuality = kind, quality
		}
	}
	return best
}

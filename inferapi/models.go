package inferapi

import (
	"fmt"
	"net/http"
	"path/filepath"

	"hailo-depth/device"
	"hailo-depth/oip"
)

// version is the only one that a model has.
const version = "1"

// model finds the model of a request: the one that its parameters name, or the
// configured or loaded one of the URL's name.
func (s *session) model(r *http.Request, p oip.Parameters) (name string, m device.Model, err error) {
	name = r.PathValue("model")
	if err := device.CheckModelName(name); err != nil {
		return name, m, err
	}
	if v := r.PathValue("version"); v != "" && v != version {
		return name, m, &device.Error{Kind: device.KindNotFound, Message: fmt.Sprintf("model %q has no version %s; its only one is %s", name, clip(v), version)}
	}
	var named, typed bool
	if m.Path, named, err = p.String("model_path"); err != nil {
		return name, m, err
	}
	if m.Type, typed, err = p.String("model_type"); err != nil {
		return name, m, err
	}
	var given bool
	if m.Params, given, err = p.JSON("model_params"); err != nil {
		return name, m, err
	}
	switch {
	case !named && !typed && !given:
		m, err := s.find(r, name)
		return name, m, err
	case !s.access.Trusted:
		return name, m, &httpError{http.StatusForbidden, invalid("the parameters model_path, model_type and model_params are for clients of the Unix socket; name a configured model")}
	case !named || !typed:
		return name, m, invalid("the parameters model_path and model_type belong together; expected both, or neither for a configured or loaded model")
	}
	return name, m, nil
}

// find looks a name up: among the configured models, then, for trusted clients,
// among the loaded ones.
func (s *session) find(r *http.Request, name string) (device.Model, error) {
	for _, c := range s.configured() {
		if c.Name == name {
			return c.Model, nil
		}
	}
	var found []device.Model
	if s.access.Trusted {
		status, err := s.Manager.Status(r.Context())
		if err != nil {
			return device.Model{}, err
		}
		for _, l := range status.Models {
			if name == device.ModelName(l.Path) || name == filepath.Base(l.Path) { // ps shows the latter
				found = append(found, device.Model{Type: l.Type, Path: l.Path})
			}
		}
	}
	switch len(found) {
	case 1:
		return found[0], nil
	case 0:
		return device.Model{}, &device.Error{Kind: device.KindNotFound, Message: fmt.Sprintf("no model %q is configured or loaded%s", name, s.hint())}
	}
	return device.Model{}, invalid("the name %q fits %d loaded models; name one by the parameters model_path and model_type", name, len(found))
}

func (s *session) hint() string {
	if !s.access.Trusted {
		return ""
	}
	return "; name its file by the parameters model_path and model_type"
}

func (s *session) configured() []Named {
	if s.Models == nil {
		return nil
	}
	return s.Models()
}

// loaded is the state of a model on the device; ok is false when it is not there.
func (s *session) loaded(r *http.Request, m device.Model) (l device.LoadedModel, ok bool, err error) {
	status, err := s.Manager.Status(r.Context())
	if err != nil {
		return l, false, err
	}
	for _, l := range status.Models {
		if l.Type == m.Type && l.Path == m.Path {
			return l, true, nil
		}
	}
	return l, false, nil
}

// needLoaded is loaded for what only a loaded model can tell.
func (s *session) needLoaded(r *http.Request, name string, m device.Model) (device.LoadedModel, error) {
	l, ok, err := s.loaded(r, m)
	if err == nil && !ok {
		err = &device.Error{Kind: device.KindUnavailable, Message: fmt.Sprintf(
			"model %q is not loaded; the next inference loads it, or POST /v2/repository/models/%s/load", name, name)}
	}
	return l, err
}

// tensorMetadata is an input or output in a model's metadata.
type tensorMetadata struct {
	Name     string       `json:"name"`
	Datatype oip.Datatype `json:"datatype"`
	Shape    []int        `json:"shape"`
}

func (s *session) metadata(w http.ResponseWriter, r *http.Request) error {
	name, m, err := s.model(r, nil)
	if err != nil {
		return err
	}
	l, err := s.needLoaded(r, name, m)
	if err != nil {
		return err
	}
	s.write(w, http.StatusOK, struct {
		Name     string           `json:"name"`
		Versions []string         `json:"versions"`
		Platform string           `json:"platform"`
		Inputs   []tensorMetadata `json:"inputs"`
		Outputs  []tensorMetadata `json:"outputs"`
	}{name, []string{version}, platform(m.Path), described(l.Tensors.Inputs), described(outputs(m.Type, l.Tensors))})
	return nil
}

// platform is the project and the format of a model's file, as the protocol
// wants it.
func platform(path string) string {
	if filepath.Ext(path) == ".onnx" {
		return "onnxruntime_onnx"
	}
	return "hailort_hef"
}

func described(infos []device.TensorInfo) []tensorMetadata {
	all := []tensorMetadata{}
	for _, t := range infos {
		all = append(all, tensorMetadata{fullName(t), oip.DatatypeOf(t.DType), t.Shape})
	}
	return all
}

// fullName tells the tensors of a model's networks apart.
func fullName(t device.TensorInfo) string {
	if t.Network == "" {
		return t.Name
	}
	return t.Network + "/" + t.Name
}

func (s *session) modelReady(w http.ResponseWriter, r *http.Request) error {
	name, m, err := s.model(r, nil)
	if err != nil {
		return err
	}
	if err := s.deviceReady(); err != nil {
		return err
	}
	if _, err := s.needLoaded(r, name, m); err != nil {
		return err
	}
	s.write(w, http.StatusOK, struct {
		Name  string `json:"name"`
		Ready bool   `json:"ready"`
	}{name, true})
	return nil
}

package manager

import "hailo-depth/device"

// chatType is a vision-language model asked about pictures: as vlmType, but
// frames must be given, if only as an empty list.
type chatType struct{ vlmType }

func (c chatType) infer(in device.Input, p params, use networks) (device.Result, error) {
	if in.Prompt == "" && len(in.Messages) == 0 || in.Frames == nil {
		return device.Result{}, badInput("prompt and frames are required for vlm_chat")
	}
	return c.vlmType.infer(in, p, use)
}

package picture

// Size reads a picture's size from its header, as Decode will find it before the EXIF orientation is applied, and fails where
// Decode would fail for the header's sake. It takes no memory for pixels: callers use it to wait for room first.
func Size(data []byte, opt Options) (width, height int, err error) {
	if len(data) == 0 {
		return 0, 0, failf(Empty, "the picture is empty (0 bytes)")
	}
	f, err := formatOf(data)
	if err != nil {
		return 0, 0, err
	}
	width, height, err = f.guardedSize(data)
	if err != nil {
		return 0, 0, err
	}
	return width, height, checkSize(width, height, opt.MaxPixels)
}

func (f format) guardedSize(data []byte) (width, height int, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = failf(Corrupt, "%s picture is damaged: decoder: %v", f.name, r)
		}
	}()
	width, height, err = f.size(data)
	if err != nil {
		return 0, 0, decoderError(f.name, err)
	}
	return width, height, nil
}

package schedule

// ranked is an element of a heap: it knows its order and its place.
type ranked[T any] interface {
	before(T) bool
	place() *int
}

// heap is a binary heap whose elements can be moved and removed: the first is
// before all others.
type heap[T ranked[T]] []T

func (h *heap[T]) push(x T) {
	*x.place() = len(*h)
	*h = append(*h, x)
	h.up(len(*h) - 1)
}

func (h *heap[T]) remove(x T) {
	var none T
	i, last := *x.place(), len(*h)-1
	h.swap(i, last)
	(*h)[last] = none
	*h = (*h)[:last]
	if i < last {
		h.fix((*h)[i])
	}
}

// fix moves x, whose order has changed, to where it belongs.
func (h *heap[T]) fix(x T) {
	h.up(*x.place())
	h.down(*x.place())
}

// second is the best but the first; ok is false when there is none.
func (h heap[T]) second() (best T, ok bool) {
	switch len(h) {
	case 0, 1:
		return best, false
	case 2:
		return h[1], true
	}
	if h[2].before(h[1]) {
		return h[2], true
	}
	return h[1], true
}

func (h heap[T]) swap(i, j int) {
	h[i], h[j] = h[j], h[i]
	*h[i].place(), *h[j].place() = i, j
}

func (h heap[T]) up(i int) {
	for i > 0 {
		parent := (i - 1) / 2
		if !h[i].before(h[parent]) {
			return
		}
		h.swap(i, parent)
		i = parent
	}
}

func (h heap[T]) down(i int) {
	for {
		least := i
		for _, child := range [2]int{2*i + 1, 2*i + 2} {
			if child < len(h) && h[child].before(h[least]) {
				least = child
			}
		}
		if least == i {
			return
		}
		h.swap(i, least)
		i = least
	}
}

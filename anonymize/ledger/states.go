package ledger

// Transition is one allowed change of state, and who does it.
type Transition struct {
	From, To State
	By       string // the method
	Why      string
}

// Transitions is the whole life of a reservation, as data. Everything else is ErrState. A record is first stored as charged: a crash
// before T1 leaves nothing, and planned exists only for jobs that wait.
func Transitions() []Transition {
	return []Transition{
		{StatePlanned, StateCharged, "Charge", "T1: the charge and its audit entry"},
		{StateCharged, StateStarted, "Start", "T2: the child may get data"},
		{StateStarted, StateCharged, "Retry", "an honest fault before a child had the query: the charge waits for another start"},
		{StateStarted, StateRecorded, "Record", "T3: the noised bytes"},
		{StateStarted, StateForfeited, "Forfeit, Recover", "a failure after the child may have had data: charged, never again"},
		{StateRecorded, StateDelivered, "Deliver", "the bytes were handed out"},
	}
}

// States lists every state, in order.
func States() []State {
	return []State{StatePlanned, StateCharged, StateStarted, StateRecorded, StateDelivered, StateForfeited}
}

// CanMove reports whether the table allows a change.
func CanMove(from, to State) bool {
	for _, t := range Transitions() {
		if t.From == from && t.To == to {
			return true
		}
	}
	return false
}

// Live reports whether a state holds its answer key: all but forfeited.
func (s State) Live() bool {
	switch s {
	case StatePlanned, StateCharged, StateStarted, StateRecorded, StateDelivered:
		return true
	default:
		return false
	}
}

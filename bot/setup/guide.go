package setup

import "slices"

// Guides lists the guides in the order in which the start form offers them.
func Guides() []*Guide {
	return []*Guide{directGuide(), connectorGuide(), cleanupGuide()}
}

// GuideFor finds a guide by ID.
func GuideFor(id GuideID) (*Guide, bool) {
	for _, g := range append(Guides(), rotateGuide(), mappingGuide()) {
		if g.ID == id {
			return g, true
		}
	}
	return nil, false
}

// after gives a step its needs within a guide.
func after(s Spec, needs ...StepID) Spec {
	s.Needs = needs
	return s
}

// recorded closes a list of steps with the record, which needs all others.
func recorded(steps []Spec) []Spec {
	var needs []StepID
	for _, s := range steps {
		needs = append(needs, s.ID)
	}
	return append(slices.Clip(steps), after(closing(), needs...))
}

// directGuide is the outcome without the connector.
func directGuide() *Guide {
	return &Guide{
		ID: Direct, Revision: 1,
		Title: "Service health in chat and ServiceNow, without the connector",
		What:  "Reads service health from Microsoft Graph, posts incidents to channels and keeps ServiceNow incidents in step. ServiceNow is optional.",
		Steps: recorded([]Spec{
			before(Direct),
			after(signInEntra(), StepBefore),
			after(signInServiceNow(), StepBefore),
			after(readerApp(), StepSignInEntra),
			after(readerConsent(), StepReaderApp),
			after(unattended(), StepSignInServiceNow),
			after(mapping(), StepBefore),
			after(incidents(), StepUnattended, StepMapping),
			after(channels(), StepReaderConsent),
		}),
	}
}

package setup

// connectorGuide is the guide as Microsoft wrote it, every step.
func connectorGuide() *Guide {
	// Nothing is written before both looks have found the pieces.
	checked := []StepID{StepPreflight, StepPreflightPanel}
	with := func(more ...StepID) []StepID { return append(append([]StepID{}, checked...), more...) }
	return &Guide{
		ID: Connector, Revision: 1,
		Title:   "Microsoft 365 support integration for ServiceNow (retired connector)",
		What:    "Microsoft's own guide, step by step: service health incidents and recommended solutions only, no cases with Microsoft support.",
		Warning: retirement + ". This guide checks first whether the pieces still exist, and offers the guides that work today.",
		Steps: recorded([]Spec{
			before(Connector),
			after(signInEntra(), StepBefore),
			after(signInServiceNow(), StepBefore),
			after(preflight(), StepSignInServiceNow),
			after(preflightPanel(), StepBefore),
			after(entraRegistration(), with(StepSignInEntra)...),
			after(clientSecret(), StepEntraApp),
			after(oauthProvider(), StepEntraSecret, StepSignInServiceNow),
			after(crossScope(), with(StepSignInServiceNow)...),
			after(switchScope(), StepCrossScope),
			after(readyServiceNow(), StepOAuth, StepScope),
			after(readyM365(), StepOAuth, StepScope),
			after(wizard(), StepReadyServiceNow, StepReadyM365),
			after(readBack(), StepWizard),
			after(m365Verify(), StepReadBack),
			after(m365Basic(), StepM365Verify),
			after(m365Repository(), StepM365Verify),
			after(finish(), StepM365Basic, StepM365Repository),
			after(appRoles(), StepFinish),
			after(goLive(), StepFinish, StepRoles),
			after(readerApp(), with(StepSignInEntra)...),
			after(readerConsent(), StepReaderApp),
			after(channels(), StepReaderConsent),
		}),
	}
}

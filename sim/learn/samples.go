package learn

// Samples are invented articles about what people ask most.
func Samples() []Article {
	return []Article{
		{Title: "Outlook keeps asking for a password", Path: "/outlook/password", Content: "Outlook prompts for the password when a stored credential is old. Remove it in Credential Manager."},
		{Title: "Outlook search finds nothing or too little", Path: "/outlook/search", Content: "Search in Outlook depends on the Windows Search index. Rebuild the index, and look whether the mailbox is cached whole."},
		{Title: "Attachments are missing or cannot be added in Outlook", Path: "/outlook/attachments", Content: "A file that is too large, a blocked type or an add-in stops an attachment. Try Outlook on the web."},
		{Title: "Mail is returned with 5.7.750", Path: "/exchange/5-7-750", Content: "The domain is not registered, so mail is refused with 5.7.750. Register the domain, then ask support to unblock."},
		{Title: "Clear the Teams client cache", Path: "/teams/cache", Content: "Microsoft Teams that hangs or shows old pictures often starts when the cache is deleted."},
		{Title: "Users cannot join a Microsoft Teams meeting", Path: "/teams/meeting-join", Content: "When a meeting cannot be joined, test the network, the lobby policy and the browser, and read the call quality dashboard."},
		{Title: "Microphone and audio in Teams calls", Path: "/teams/audio", Content: "Check the device in the settings of Microsoft Teams and make a test call when audio or microphone do not work."},
		{Title: "Reset OneDrive sync", Path: "/onedrive/reset", Content: "Reset the OneDrive sync app when it stays at processing changes."},
		{Title: "OneDrive shows sync pending", Path: "/onedrive/pending", Content: "Files stay at sync pending when they are open, when the path is too long or when the disk is full. Close them, pause and resume sync."},
		{Title: "Restrictions and limitations of OneDrive and SharePoint", Path: "/onedrive/limits", Content: "Names and types of file that sync refuses, the length of a path, and the largest upload."},
		{Title: "SharePoint search shows old results", Path: "/sharepoint/search", Content: "SharePoint search shows what was crawled last. Ask for a re-index of the site or the library."},
		{Title: "AADSTS53003 blocked by Conditional Access", Path: "/entra/53003", Content: "Read the sign-in log to see which policy blocked it. AADSTS53003."},
		{Title: "Device enrollment fails in Intune", Path: "/intune/enrollment", Content: "Enrollment of a device in Intune fails when a license is missing or the device limit is reached. Company Portal names the error."},
		{Title: "Power Automate flow does not run on its trigger", Path: "/power-automate/trigger", Content: "Look at the run history of the flow and renew the connection of the trigger."},
	}
}

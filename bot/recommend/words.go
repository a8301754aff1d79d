package recommend

import "strings"

// The tables of this file are what the tokeniser knows of how people speak about
// Microsoft 365. They are lists to be read and lengthened; nothing is learnt.

var stop = set(`a an and are as at be been but by for from had has have he her his how i i'm if in into is it its just
	me my of on or our out she so some than that the their them then there these they this to today too up was we were what
	when where which while who why will with you your yesterday please help hi hello since again now very really all any
	also do does did am us about after before during still only being got get gets anyone someone is't isn't`)

// phrases are several words that are one.
var phrases = pairs(`
	log in = login; log on = login; logging in = login; logs in = login; logged in = login; sign in = login; signing in = login; sign ins = login; signed in = login; signs in = login
	log out = signout; sign out = signout; signed out = signout; logged out = signout; signs out = signout
	e mail = email; e mails = email; free busy = freebusy; out of office = autoreply; automatic replies = autoreply; automatic reply = autoreply
	one drive = onedrive; share point = sharepoint; power bi = powerbi; power automate = flow; power apps = powerapps; power point = powerpoint
	exchange online = exchange; sharepoint online = sharepoint; onedrive for business = onedrive; microsoft teams = teams; ms teams = teams
	microsoft 365 admin center = admincenter; admin center = admincenter; admin centre = admincenter; admin portal = admincenter; admin page = admincenter
	outlook on the web = webmail; outlook web app = webmail; outlook web = webmail; web client = webmail
	viva engage = yammer; to do = todo; company portal = companyportal; azure ad = entra; entra id = entra; azure active directory = entra
	two factor = mfa; multi factor = mfa; multi factor authentication = mfa; multifactor authentication = mfa; second factor = mfa; 2 factor = mfa; 2fa = mfa
	can not = cannot; could not = cannot; can't = cannot; cant = cannot; couldn't = cannot; not able = cannot
	read only = readonly; time out = timeout; times out = timeout; timed out = timeout; active sync = activesync
	screen share = screensharing; screen sharing = screensharing; share my screen = screensharing; sharing my screen = screensharing; share screen = screensharing; share the screen = screensharing
	not responding = hang; stops responding = hang; add in = addin; add ins = addin; add on = addin; plug in = addin
	conditional access = conditionalaccess; self service = selfservice; look up = lookup; set up = setup; get into = join; takes ages = slow; takes forever = slow; cut off = drop; kicked out = drop; hangs up = drop; hang up = drop; turn on = start;  go back = restore; get back = restore; bring back = restore; call back = recall
	data file = datafile; shared mailbox = sharedmailbox; shared mailboxes = sharedmailbox; meeting room = room; meeting rooms = room; teams rooms = room; wi fi = wifi
	on premises = onpremises; on premise = onpremises; something went wrong = somethingwrong; microsoft 365 = m365; office 365 = m365`)

var longestPhrase = func() int {
	n := 1
	for p := range phrases {
		n = max(n, strings.Count(p, " ")+1)
	}
	return n
}()

// concepts are rows of words that mean about the same in a symptom. A word may
// stand in several.
var concepts = rows(`
	mail: mail email message inbox mailbox outlook
	chat: chat message im conversation
	late: late delay slow queue behind lag hours
	slow: slow slowly performance timeout latency lag sluggish minute
	hang: hang hung freeze frozen stuck stall spinner load loading responding forever pending processing crash endless
	fail: fail failure error cannot unable broken break not no problem issue wrong doesn't don't won't isn't stop stopped impossible down outage unavailable work working reject somethingwrong
	drop: drop disconnect cut end abort interrupt
	signin: login authenticate authentication credential logon
	password: password credential passcode
	ask: ask prompt request keep repeatedly popup
	missing: missing gone disappear vanish lost lose empty blank nothing nowhere hidden
	blank: blank black white empty
	search: search find found lookup index crawl
	meeting: meeting conference webinar
	call: call calling phone pstn voice telephone dial ring
	plan: plan schedule scheduling appointment
	available: freebusy free busy availability available slot
	book: book booking reserve
	mobile: phone iphone ipad ios android mobile smartphone apple
	sync: sync synchronize synchronise synchronization synchronisation activesync
	upload: upload attach attachment
	file: file document doc workbook spreadsheet
	big: big large huge over
	screen: screen screensharing desktop window presenter
	audio: hear sound audio microphone mic mute speaker
	restore: restore recover revert undelete recycle earlier older
	remove: delete deleted remove recycle
	undo: recall undo mistake accident
	captions: subtitle caption
	access: permission access denied forbidden 403 allow right member
	block: block blocked refuse reject bounce
	ndr: bounce ndr nondelivery undeliverable reject
	junk: junk spam quarantine phishing
	license: license licence unlicensed licensed licensing
	activation: activate activation unlicensed
	people: colleague user people coworker member attendee participant everybody everyone nobody
	outside: customer client external outside guest company partner recipient organization organisation supplier vendor
	web: webmail owa browser web
	joiner: joiner new newcomer
	leaver: leave left leaver former
	full: full quota larger space storage limit
	print: print printer scan scanner printing
	push: push prompt notification approve
	presence: status presence availability away
	computer: laptop computer pc device machine notebook windows
	change: change different layout look new redesign experience
	retired: retire old classic anymore longer support
	old: old older stale yesterday outdated earlier
	refresh: refresh update
	trigger: trigger start run
	mfa: mfa authenticator authentication push
	team: team site group
	site: site intranet page sharepoint
	type: type enter number code
	read: read readonly locked lock
	install: install deploy download
	name: name character
	reset: reset restart renew
	cloud: cloud onedrive
	person: employee person people staff user
	join: join enter
	send: send submit
	deliver: deliver arrive receive reach come delivery
	crash: crash close quit end
	twice: twice double duplicate two
	picture: picture photo image avatar logo
	expire: expire invalid valid
	create: create make
	share: share invite
	button: button icon option toggle
	today: recent recently new today
	folder: folder directory
	key: key pin
	meetingroom: room console
	vpn: vpn tunnel remote
	start: start open launch boot begin
	recording: recording record transcript video`)

// weak are concepts that every text about trouble has: they rank, and are no
// reason by themselves.
var weak = set("~fail ~people ~person ~change ~today ~start ~ask ~old ~big ~trigger ~refresh ~outside ~deliver ~create ~crash ~type ~button ~name ~read")

// vague are stems like that.
var vague = set(`error fail cannot unabl not no problem issu wrong user peopl work work open chang new us see show messag servic file don't doesn't
	can tell anymor mor time day help everybod everyon nobod m365 microsoft offic thing last long today appear display receiv longer`)

// hollow are words that say nothing by themselves of what is wrong: they rank,
// and are never given as a reason.
var hollow = set(`nothing nowhere hidden none never always often sometimes ask asks asked asking keep keeps kept stay stays stayed come comes came go goes going use uses using used try tries tried
	make makes made take takes took want wants need needs like just even much many more most every each other another both way bit lot until while because however something anything
	everything someone anyone everyone nobody everybody people user users colleague colleagues company suddenly morning evening monday tuesday wednesday thursday friday saturday sunday
	month year week minute minutes hour hours again broken fail fails failing failed failure stop stops stopped start starts started impossible big old new latest recent recently good bad right left
	first one two several few behind over support longer name type enter change different look earlier today`)

func set(words string) map[string]bool {
	out := map[string]bool{}
	for _, w := range strings.Fields(words) {
		out[w] = true
	}
	return out
}

func pairs(lines string) map[string]string {
	out := map[string]string{}
	for _, p := range strings.FieldsFunc(lines, func(r rune) bool { return r == ';' || r == '\n' }) {
		from, to, _ := strings.Cut(p, "=")
		if from = strings.TrimSpace(from); from != "" {
			out[from] = strings.TrimSpace(to)
		}
	}
	return out
}

// rows reads concepts by the stems of their words.
func rows(lines string) map[string][]string {
	out := map[string][]string{}
	for _, line := range strings.Split(lines, "\n") {
		name, words, ok := strings.Cut(strings.TrimSpace(line), ":")
		if !ok {
			continue
		}
		for _, w := range strings.Fields(words) {
			if s := stem(w); len(out[s]) == 0 || out[s][len(out[s])-1] != name {
				out[s] = append(out[s], name)
			}
		}
	}
	return out
}

package web

import (
	"context"
	"net/http"
)

// route is one page. Its name to policy is method and pattern: policies/routes.json says which action it is.
type route struct {
	method, path string
	handle       func(ctx context.Context, c *call) error
}

func (r route) pattern() string { return r.method + " " + r.path }

// routes are all pages. A page that policy does not name is denied to everybody.
func (s *server) routes() []route {
	const get, post = http.MethodGet, http.MethodPost
	return []route{
		{get, "/style.css", s.style},
		{get, "/icon.svg", s.icon},
		{get, "/", s.catalogue},
		{get, "/catalogue/{dataset}", s.dataset},
		{get, "/login", s.loginForm},
		{post, "/login", s.login},
		{post, "/logout", s.logout},
		{get, "/inbox", s.inbox},
		{get, "/notices", s.notices},
		{post, "/notices/{id}/read", s.seen},
		{post, "/notices/channel", s.setAddress},
		{post, "/notices/channel/confirm", s.confirmAddress},
		{get, "/applications", s.applications},
		{get, "/applications/new", s.newApplication},
		{post, "/applications", s.createApplication},
		{get, "/applications/{id}", s.application},
		{get, "/applications/{id}/edit", s.editApplication},
		{post, "/applications/{id}/edit", s.changeApplication},
		{get, "/applications/{id}/attachments", s.attachment},
		{post, "/applications/{id}/attachments", s.attach},
		{post, "/applications/{id}/attachments/remove", s.detach},
		{post, "/applications/{id}/submit", s.submit},
		{post, "/applications/{id}/review", s.review},
		{post, "/applications/{id}/decide", s.decide},
		{post, "/applications/{id}/withdraw", s.withdraw},
		{get, "/applications/{id}/agreement", s.agreement},
		{get, "/access", s.access},
		{post, "/applications/{id}/agreement/sign", s.sign},
		{get, "/grants", s.grants},
		{get, "/grants/{id}", s.grant},
		{post, "/grants/{id}/revoke", s.revoke},
		{post, "/grants/{id}/relinquish", s.relinquish},
		{get, "/grants/{id}/ask", s.askForm},
		{post, "/grants/{id}/explain", s.explain},
		{post, "/grants/{id}/ask", s.ask},
		{post, "/grants/{id}/ask.csv", s.askCSV},
		{post, "/grants/{id}/handovers", s.requestPackage},
		{get, "/handovers", s.handovers},
		{get, "/handovers/{id}", s.handover},
		{post, "/handovers/{id}/package", s.pull},
		{post, "/handovers/{id}/acknowledgement", s.acknowledge},
		{get, "/complaints", s.complaints},
		{post, "/complaints", s.complain},
		{post, "/complaints/{id}/answer", s.answerComplaint},
		{get, "/conduct", s.file},
		{post, "/conduct/{id}/appeal", s.judged(s.appeal)},
		{post, "/conduct/{id}/uphold", s.judged(s.uphold)},
		{post, "/conduct/{id}/lift", s.judged(s.lift)},
		{get, "/incidents", s.incidents},
		{post, "/incidents", s.report},
		{get, "/incidents/{id}", s.incident},
		{post, "/incidents/{id}/amend", s.onIncident("amended", s.amend)},
		{post, "/incidents/{id}/tell", s.onIncident("told", s.told)},
		{post, "/incidents/{id}/close", s.onIncident("closed", s.closeIncident)},
		{get, "/me", s.me},
		{get, "/me/record", s.ownRecord},
		{post, "/me/wishes", s.wish},
		{post, "/me/wishes/{id}/withdraw", s.unwish},
		{get, "/audit", s.trace},
		{get, "/audit/checkpoint", s.checkpoint},
		{get, "/audit/proof/{index}", s.proof},
		{get, "/audit/export", s.export},
		{get, "/meetings", s.meetings},
		{post, "/meetings", s.callMeeting},
		{get, "/meetings/{id}", s.meeting},
		{post, "/meetings/{id}/attend", s.take("attend")},
		{post, "/meetings/{id}/leave", s.take("leave")},
		{post, "/meetings/{id}/open", s.take("open")},
		{post, "/meetings/{id}/close", s.take("close")},
		{post, "/meetings/{id}/cancel", s.take("cancel")},
		{post, "/meetings/{id}/minute", s.take("minute")},
		{post, "/meetings/{id}/sign", s.take("sign")},
		{post, "/meetings/{id}/vote", s.vote},
		{post, "/meetings/{id}/decide", s.decideTogether},
		{get, "/deputies", s.deputies},
		{post, "/deputies", s.nameDeputy},
		{post, "/deputies/{id}/end", s.endDeputy},
		{get, "/institutions", s.institutions},
		{get, "/institutions/{id}", s.institution},
		{get, "/supervision", s.supervision},
		{get, "/supervision/patrol", s.patrol},
		{get, "/supervision/inspection", s.inspection},
	}
}

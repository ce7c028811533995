//! Language codes. Containers hold three letters (ISO 639-2); files may use two (ISO 639-1) or longer tags (BCP 47).

use common::recipe::Container;

use crate::ffmpeg::probe::media::Stream;

/// Two letters and three letters. If ISO 639-2 has two codes, the second one is the older, which Matroska uses.
const CODES: &str = "aa aar;ab abk;ae ave;af afr;ak aka;am amh;an arg;ar ara;as asm;av ava;ay aym;az aze;ba bak;be bel;\
    bg bul;bh bih;bi bis;bm bam;bn ben;bo bod tib;br bre;bs bos;ca cat;ce che;ch cha;co cos;cr cre;cs ces cze;cu chu;\
    cv chv;cy cym wel;da dan;de deu ger;dv div;dz dzo;ee ewe;el ell gre;en eng;eo epo;es spa;et est;eu eus baq;\
    fa fas per;ff ful;fi fin;fj fij;fo fao;fr fra fre;fy fry;ga gle;gd gla;gl glg;gn grn;gu guj;gv glv;ha hau;he heb;\
    hi hin;ho hmo;hr hrv;ht hat;hu hun;hy hye arm;hz her;ia ina;id ind;ie ile;ig ibo;ii iii;ik ipk;io ido;is isl ice;\
    it ita;iu iku;ja jpn;jv jav;ka kat geo;kg kon;ki kik;kj kua;kk kaz;kl kal;km khm;kn kan;ko kor;kr kau;ks kas;ku kur;\
    kv kom;kw cor;ky kir;la lat;lb ltz;lg lug;li lim;ln lin;lo lao;lt lit;lu lub;lv lav;mg mlg;mh mah;mi mri mao;\
    mk mkd mac;ml mal;mn mon;mr mar;ms msa may;mt mlt;my mya bur;na nau;nb nob;nd nde;ne nep;ng ndo;nl nld dut;nn nno;\
    no nor;nr nbl;nv nav;ny nya;oc oci;oj oji;om orm;or ori;os oss;pa pan;pi pli;pl pol;ps pus;pt por;qu que;rm roh;\
    rn run;ro ron rum;ru rus;rw kin;sa san;sc srd;sd snd;se sme;sg sag;si sin;sk slk slo;sl slv;sm smo;sn sna;so som;\
    sq sqi alb;sr srp;ss ssw;st sot;su sun;sv swe;sw swa;ta tam;te tel;tg tgk;th tha;ti tir;tk tuk;tl tgl;tn tsn;to ton;\
    tr tur;ts tso;tt tat;tw twi;ty tah;ug uig;uk ukr;ur urd;uz uzb;ve ven;vi vie;vo vol;wa wln;wo wol;xh xho;yi yid;\
    yo yor;za zha;zh zho chi;zu zul";

/// The code of three letters that `container` uses for a language. `None` if the language is already such a code, or
/// if there is none.
pub(crate) fn code(language: &str, container: Container) -> Option<&'static str> {
    let primary = language.split(['-', '_']).next()?;
    if primary == language && primary.len() == 3 {
        return None;
    }
    let is_matroska = container.is_matroska();
    CODES.split(';').find_map(|entry| {
        let mut codes = entry.split(' ');
        let (short, long) = (codes.next()?, codes.next()?);
        let older = codes.next().filter(|_| is_matroska);
        (short.eq_ignore_ascii_case(primary) || long.eq_ignore_ascii_case(primary))
            .then(|| older.unwrap_or(long))
    })
}

/// Whether a language is, apart from its region and script, a code of ISO 639 that every container can hold.
pub(crate) fn is_code(language: &str) -> bool {
    let primary = language.split(['-', '_']).next().unwrap_or_default();
    CODES
        .split([';', ' '])
        .any(|code| code == primary && !code.is_empty())
}

/// The tag of a language as BCP 47 has it, for players: two letters where there are some.
pub(crate) fn bcp47(language: &str) -> String {
    let tag = language.replace('_', "-");
    let (primary, rest) = match tag.split_once('-') {
        Some((primary, rest)) => (primary, Some(rest)),
        None => (tag.as_str(), None),
    };
    let entry = CODES.split(';').find(|entry| {
        let mut codes = entry.split(' ');
        codes.any(|code| code.eq_ignore_ascii_case(primary))
    });
    let short = entry.and_then(|entry| entry.split(' ').next());
    let primary = short.map_or_else(|| primary.to_lowercase(), str::to_owned);
    match rest {
        Some(rest) => format!("{primary}-{rest}"),
        None => primary,
    }
}

/// The same as names of files have it. `None` for a text that is no code.
pub(crate) fn short(language: &str) -> Option<String> {
    let tag = bcp47(language);
    let mut parts = tag.split('-');
    let primary = parts.next()?;
    let is_code = matches!(primary.len(), 2 | 3)
        && primary.chars().all(|letter| letter.is_ascii_alphabetic());
    let is_word = |part: &str| {
        (1..=8).contains(&part.len()) && part.chars().all(|letter| letter.is_ascii_alphanumeric())
    };
    // The longest tag in use has five parts.
    let is_short = tag.split('-').count() <= 5;
    (is_code && is_short && parts.all(is_word)).then_some(tag)
}

/// Whether two codes mean the same language, by whatever standard.
pub fn is_same(one: &str, other: &str) -> bool {
    let normal = |tag: &str| {
        let entry = CODES.split(';').find(|entry| {
            let mut codes = entry.split(' ');
            codes.any(|code| code.eq_ignore_ascii_case(tag))
        });
        entry.map_or_else(|| tag.to_lowercase(), str::to_owned)
    };
    normal(one) == normal(other)
}

/// Whether a track's language is one that a person asks for. `pt` stands for `pt-BR` too; `pt-BR` only for itself.
pub(crate) fn matches(wanted: &str, spoken: &str) -> bool {
    let split = |tag: &str| -> (String, String) {
        let tag = tag.replace('_', "-").to_lowercase();
        let (primary, rest) = tag.split_once('-').unwrap_or((&tag, ""));
        (primary.to_owned(), rest.to_owned())
    };
    let ((wanted, subtags), (spoken, spoken_subtags)) = (split(wanted), split(spoken));
    let begins = || {
        let rest = spoken_subtags.strip_prefix(&subtags);
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('-'))
    };
    is_same(&wanted, &spoken) && (subtags.is_empty() || begins())
}

/// Whether a track is in a language that a person asks for. `und` stands for tracks without one.
pub(crate) fn speaks(stream: &Stream, wanted: &str) -> bool {
    match tag(stream) {
        Some(spoken) => matches(wanted, spoken),
        None => wanted.eq_ignore_ascii_case("und"),
    }
}

/// The language of a stream; `None` if it is undetermined.
pub(crate) fn tag(stream: &Stream) -> Option<&str> {
    let mut tags = stream.tags.iter();
    let (_, tag) = tags.find(|(key, _)| key.eq_ignore_ascii_case("language"))?;
    let tag = tag.trim();
    (!tag.is_empty() && !tag.eq_ignore_ascii_case("und")).then_some(tag)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn containers_get_their_three_letters() {
        assert_eq!(code("en", Container::Mp4), Some("eng"));
        assert_eq!(code("zh-Hans", Container::Mp4), Some("zho"));
        assert_eq!(code("zh-Hans", Container::Mkv), Some("chi"));
        assert_eq!(code("zho-Hans", Container::Mkv), Some("chi"));
        assert_eq!(code("ger", Container::Mp4), None);
        assert_eq!(code("qaa-x-own", Container::Mp4), None);
        assert!(is_same("de", "ger") && is_same("deu", "GER") && is_same("qaa", "QAA"));
        assert!(!is_same("pt-BR", "por") && !is_same("en", "fr"));
        assert!(
            matches("pt", "por-BR") && matches("por", "pt_BR") && matches("zh-hant", "zh-Hant-TW")
        );
        assert!(!matches("pt-BR", "por") && !matches("zh-Han", "zh-Hant"));
        assert_eq!(CODES.split(';').count(), 184);
        assert_eq!(bcp47("ger"), "de");
        assert_eq!(bcp47("por-BR"), "pt-BR");
        assert_eq!(bcp47("qaa"), "qaa");
    }

    #[test]
    fn names_of_files_have_the_shortest_code() {
        for (tag, shortest) in [
            ("ger", Some("de")),
            ("eng", Some("en")),
            ("pt_BR", Some("pt-BR")),
            ("chi-Hant", Some("zh-Hant")),
            ("QAA", Some("qaa")),
            ("english", None),
            ("en-../x", None),
            ("", None),
        ] {
            assert_eq!(short(tag).as_deref(), shortest, "{tag}");
        }
    }

    #[test]
    fn a_language_stands_for_its_regions_and_scripts() {
        for (spoken, wanted) in [
            ("por", "pt"),
            ("pt-BR", "por"),
            ("por-BR", "pt-br"),
            ("pt_BR", "pt"),
            ("ger", "deu"),
            ("de", "ger"),
            ("zh-Hant-TW", "chi-hant"),
            ("QAA", "qaa"),
        ] {
            assert!(matches(wanted, spoken), "{spoken} is {wanted}");
        }
        for (spoken, wanted) in [
            ("pt", "pt-br"),
            ("pt-PT", "pt-br"),
            ("eng", "en-us"),
            ("zh-TW", "zh-hant"),
            ("eng", "und"),
        ] {
            assert!(!matches(wanted, spoken), "{spoken} is not {wanted}");
        }
    }

    #[test]
    fn codes_are_of_two_and_three_letters() {
        for entry in CODES.split(';') {
            let lengths: Vec<usize> = entry.split(' ').map(str::len).collect();
            assert!(lengths == [2, 3] || lengths == [2, 3, 3], "{entry}");
        }
    }
}
